"""The page's texts in Korean, by the English ones."""

KOREAN = {
    # The page
    "From classifier to segmenter": "분류기에서 분할 모델로",
    "Copy link": "링크 복사",
    "The link is copied.": "링크를 복사했습니다.",
    "Present": "발표 모드",
    "Segment": "분할",
    "Compare": "비교",
    "Batch": "일괄 처리",
    "Lessons": "수업",
    "About": "소개",
    # Segment
    "Photo": "사진",
    "Network": "네트워크",
    "Heatmap of": "히트맵으로 볼 클래스",
    "Colours": "컬러맵",
    "Analysis size, px": "분석 크기, px",
    "Overlay opacity": "오버레이 불투명도",
    "Refine edges": "경계 다듬기",
    "Best quality": "최고 품질",
    "Mask": "마스크",
    "Overlay": "오버레이",
    "Heatmap": "히트맵",
    "Scores": "점수",
    "Click on the photo or the class map: the probabilities at that pixel appear here.": (
        "사진이나 클래스 맵을 클릭하면 그 픽셀의 확률이 여기에 표시됩니다."
    ),
    # Compare
    "Networks": "네트워크",
    "True mask, an index PNG (optional)": "정답 마스크, 인덱스 PNG (선택 사항)",
    "The first two networks: drag the line": "처음 두 네트워크: 경계선을 끌어 보세요",
    "All of them": "전체",
    "Where they disagree": "예측이 엇갈리는 곳",
    # Batch
    "Photos, up to 60": "사진, 최대 60장",
    "Segment all": "모두 분할",
    "Download all as a zip": "모두 zip으로 내려받기",
    "Class maps": "클래스 맵",
    # Lessons
    "Linear to 1×1 conv": "선형 계층에서 1×1 합성곱으로",
    "Sizes": "크기",
    "Transposed conv": "전치 합성곱",
    "Adaptive pooling": "적응형 풀링",
    "Transfer learning": "전이 학습",
    # From a Linear layer to a 1×1 conv
    """### From a Linear layer to a 1×1 conv
A classifier ends in a Linear layer that reads the **mean** of its feature map. The same weights, reshaped, are a 1×1
conv that reads **every cell** of the map. Both only multiply and add, so it does not matter whether the mean is taken
before or after: the mean of the conv's scores is the classifier's answer.""": (
        """### 선형 계층에서 1×1 합성곱으로
분류기의 마지막 선형(Linear) 계층은 특징 맵의 **평균**을 읽습니다. 같은 가중치의 모양만 바꾸면 특징 맵의 **모든 칸**을 읽는 1×1
합성곱이 됩니다. 둘 다 곱하고 더하기만 하므로 평균을 먼저 내든 나중에 내든 결과는 같습니다. 합성곱 점수의 평균이 곧 분류기의
답입니다."""
    ),
    "Seen at, px": "입력 크기, px",
    "Forget the bias": "편향 빠뜨리기",
    "Slide the classifier over the photo": "분류기를 사진 위에서 슬라이딩해 보기",
    "Scores: background": "점수: 배경",
    "Scores: cat": "점수: 고양이",
    "Scores: dog": "점수: 개",
    "One dense pass": "한 번의 밀집(dense) 순전파",
    "The classifier on a crop about each cell": "칸마다 그 주변을 잘라 분류기에 넣은 결과",
    "Difference": "차이",
    "With its bias copied, the conv is the Linear layer.": "편향까지 복사하면 합성곱은 선형 계층과 같습니다.",
    # Sizes
    """### Where the pixels go
Why any input size works: a conv has no idea how large its map is. Follow an image through a network, layer by layer.
First it is **padded** to a multiple of the largest stride, at the end it is **cropped** back; between them every size
follows from the one before. "Sees" is the receptive field: the pixels of the image, a side, that one cell has seen.
The FCN repeats the border cells before each upsampling and crops behind it, so its maps are two cells larger there.""": (
        """### 픽셀은 어디로 가는가
입력 크기에 제한이 없는 이유: 합성곱은 맵이 얼마나 큰지 알지 못합니다. 이미지가 네트워크를 지나는 과정을 층마다 따라가 보세요.
먼저 가장 큰 스트라이드의 배수가 되도록 **패딩**하고 마지막에 다시 **잘라 냅니다**. 그 사이의 크기는 모두 바로 앞의 크기에서
정해집니다. "sees" 열은 수용 영역(receptive field)으로, 한 칸이 본 이미지의 한 변 픽셀 수입니다. FCN은 업샘플링 전에 가장자리 칸을 반복하고 그
뒤에 잘라 내므로, 그곳의 맵은 두 칸 더 큽니다."""
    ),
    "Height": "높이",
    "Width": "너비",
    "### On a photo of yours": "### 내 사진으로 보기",
    "Feature maps of": "특징 맵을 볼 네트워크",
    """#### FCN-32s, 16s and 8s, and the share of each skip
One pass through the backbone gives all three class maps. FCN-8s's scores are a **sum**: what comes from fc7, from pool4
and from pool3, each upsampled by transposed convs. These have no bias, so each part can be upsampled alone, with the
other two at zero, and the parts add up to the network's own scores. The bias of each score layer belongs to its part.

**Share:** from each part its mean over the photo is taken away, class by class, since a constant draws no edge; the
mean absolute value of the rest, divided by the sum over the three parts, is its share.""": (
        """#### FCN-32s, 16s, 8s와 각 건너뛰기 연결(skip)의 몫
백본을 한 번만 통과하면 클래스 맵 세 장이 모두 나옵니다. FCN-8s의 점수는 fc7, pool4, pool3에서 온 부분을 각각 전치 합성곱으로
업샘플링한 것의 **합**입니다. 이 전치 합성곱에는 편향이 없으므로 다른 둘을 0으로 두고 한 부분씩 따로 업샘플링할 수 있고, 그 결과를
모두 더하면 네트워크의 점수와 같습니다. 각 점수 층의 편향은 해당 부분에 포함됩니다.

**몫(share):** 상수는 경계를 만들지 않으므로, 부분마다 클래스별로 사진 전체의 평균을 뺍니다. 남은 값의 절댓값 평균을 세 부분의
합계로 나눈 것이 그 부분의 몫입니다."""
    ),
    "Class map of FCN-32s": "FCN-32s의 클래스 맵",
    "Class map of FCN-16s": "FCN-16s의 클래스 맵",
    "Class map of FCN-8s": "FCN-8s의 클래스 맵",
    "Main class: scores from fc7": "주 클래스: fc7에서 온 점수",
    "Main class: scores from pool4": "주 클래스: pool4에서 온 점수",
    "Main class: scores from pool3": "주 클래스: pool3에서 온 점수",
    "Their sum, FCN-8s's scores of that class": "셋의 합: 그 클래스의 FCN-8s 점수",
    """#### The feature maps
What the network keeps of the photo just before each change of size: the **mean** over all channels, then the channels
with the highest mean. Each picture has its own scale, from 0 (dark) to its own largest value (yellow), given below it.
Early maps follow edges and colours; later ones are coarse, and answer to whole parts. A click on a picture saves it.""": (
        """#### 특징 맵
크기가 바뀌기 직전마다 네트워크가 사진에서 무엇을 간직하는지 보여 줍니다. 먼저 모든 채널의 **평균**, 이어서 평균이 가장 큰
채널들입니다. 색의 눈금은 그림마다 다르며, 0(어두움)에서 그 그림의 최댓값(노랑)까지입니다. 최댓값은 그림 아래에 적혀 있습니다. 앞쪽
맵은 에지와 색을 따르고, 뒤쪽 맵은 해상도가 낮으며 사물의 부분 전체에 반응합니다. 그림을 클릭하면 저장됩니다."""
    ),
    # Transposed convolution
    """### Transposed convolution, by hand
Each cell of the small map leaves a **print** of the kernel on a larger one: the kernel times the cell's value, `stride`
cells from the next print. Where prints overlap they add up. Padding cuts the border off.

It is called *transposed* because of its matrix: a conv is a product `C·x`, and this is `Cᵀ·y`. It brings the **size**
back, not the values; "deconvolution" is the wrong name.""": (
        """### 손으로 해 보는 전치 합성곱
작은 맵의 각 칸은 더 큰 맵에 커널의 **자국**을 남깁니다. 자국은 커널에 그 칸의 값을 곱한 것이고, 다음 자국과 `stride`칸 떨어져
있습니다. 자국이 겹치는 곳에서는 값을 더합니다. 패딩은 가장자리를 잘라 냅니다.

*전치*라는 이름은 행렬에서 왔습니다. 합성곱은 `C·x`라는 곱이고 이것은 `Cᵀ·y`입니다. 되돌아오는 것은 값이 아니라 **크기**이므로
"디컨볼루션(deconvolution)"은 틀린 이름입니다."""
    ),
    "Input size n": "입력 크기 n",
    "Kernel k": "커널 k",
    "Stride s": "스트라이드 s",
    "Padding p": "패딩 p",
    "Output padding o": "출력 패딩 o",
    "Prints so far": "지금까지의 자국 수",
    "Kernel's values": "커널 값",
    "Input y": "입력 y",
    "Kernel": "커널",
    "Output so far": "지금까지의 출력",
    "Prints that meet in each output cell": "각 출력 칸에서 겹치는 자국 수",
    "Cᵀ: a column per input cell, a row per output cell": "Cᵀ: 열은 입력 칸, 행은 출력 칸",
    # Adaptive pooling
    """### Adaptive pooling
The number of cells that comes **out** is fixed, whatever goes in: each output cell *i* pools the input cells from
⌊i·n/m⌋ up to ⌈(i+1)·n/m⌉. With it a network ends in the same number of features for a photo of any size, and the Linear
layer behind it always fits.

Where m divides n it is plain pooling. Else bins **overlap**, and where m is larger than n cells are **used again**.""": (
        """### 적응형 풀링
무엇이 들어오든 **나가는** 칸의 수는 정해져 있습니다. 출력 칸 *i*는 ⌊i·n/m⌋부터 ⌈(i+1)·n/m⌉ 앞까지의 입력 칸을 풀링합니다.
그래서 사진의 크기가 달라도 네트워크 끝에서 나오는 특징의 수는 같고, 그 뒤의 선형 계층에 언제나 들어맞습니다.

m이 n의 약수이면 보통의 풀링입니다. 그렇지 않으면 구간이 **겹치고**, m이 n보다 크면 같은 칸을 **다시 씁니다**."""
    ),
    "Input cells n": "입력 칸 수 n",
    "Output cells m": "출력 칸 수 m",
    "Pooling": "풀링",
    "Averaging: weight of each input cell (column) in each output cell (row)": (
        "평균 풀링: 각 출력 칸(행)에서 각 입력 칸(열)의 가중치"
    ),
    """### The same on a map
Rows and columns have bins of their own, so any photo becomes m×m cells, whatever its shape.""": (
        """### 맵에서도 마찬가지
행과 열에 각각 따로 구간이 있으므로, 사진이 어떤 모양이든 m×m칸이 됩니다."""
    ),
    "The photo in grey": "회색조 사진",
    "Pooled to m×m cells": "m×m칸으로 풀링한 결과",
    """### One photo, three sizes
The classifier ends in adaptive pooling to 1×1, so its Linear layer gets the same number of features from any photo.
Beside it stands a Linear layer without pooling, which reads the whole flattened map: its weights are the classifier's,
divided by the number of cells and repeated for each, so at the one size that it is made for both answer alike.""": (
        """### 사진 한 장, 세 가지 크기
분류기는 1×1 적응형 풀링으로 끝나므로, 어떤 사진이 들어와도 선형 계층은 같은 수의 특징을 받습니다. 비교를 위해 풀링 없이 맵 전체를
펼쳐(flatten) 읽는 선형 계층을 나란히 두었습니다. 이 계층의 가중치는 분류기의 가중치를 칸의 수로 나누어 칸마다 반복한 것이므로, 이
계층이 맞춰진 한 가지 크기에서는 둘의 답이 같습니다."""
    ),
    "The layer without pooling is made for": "풀링 없는 계층이 맞춰진 크기",
    # Transfer learning
    """### Transfer learning
A network that has learned one task has an **encoder** that the next task can use. Here a U-Net takes over the VGG16
encoder of another network. At first the encoder is **frozen**, and only the new decoder learns; then everything is
**fine-tuned** at a low rate. **From nothing** is the same U-Net from random weights. These are recorded training runs;
the minutes that the encoder's first training took are not in them.""": (
        """### 전이 학습
한 과제를 배운 네트워크의 **인코더**는 다음 과제에도 쓸 수 있습니다. 여기서는 U-Net이 다른 네트워크의 VGG16 인코더를 가져와
씁니다. 처음에는 인코더를 **고정**(frozen)하고 새 디코더만 학습하며, 그다음에는 전체를 낮은 학습률로 **미세 조정**(fine-tuned)합니다.
**처음부터**(from nothing)는 같은 U-Net을 무작위 가중치에서 학습한 것입니다. 그래프는 학습 과정을 기록한 것이며, 인코더를 처음
학습하는 데 걸린 시간은 들어 있지 않습니다."""
    ),
    "Figure (held-out photos, but for the loss)": "지표 (손실 외에는 학습에 쓰지 않은 사진 기준)",
    "Over": "가로축",
    """### What is trainable
Freezing takes parameters away from the optimizer. The running statistics of BatchNorm are no parameters: they are a
matter of `train` and `eval` mode. A frozen part here is in `eval` mode, so that both stay.""": (
        """### 무엇이 학습되는가
고정(freeze)하면 파라미터가 옵티마이저의 대상에서 빠집니다. 배치 정규화(BatchNorm)의 러닝 통계량은 파라미터가 아니어서, `train`
모드인지 `eval` 모드인지에 따라 갱신 여부가 정해집니다. 여기서 고정된 부분은 `eval` 모드이므로 둘 다 그대로 있습니다."""
    ),
    "Training": "학습 방식",
    """### Freezing parameters does not freeze BatchNorm
The first encoder stage of a trained network, frozen by `requires_grad_(False)`, is shown some photos. No optimizer is
there. In `train` mode its running means and variances move all the same, and with them its answers.""": (
        """### 파라미터를 고정해도 배치 정규화는 고정되지 않는다
학습된 네트워크의 첫 인코더 단계를 `requires_grad_(False)`로 고정하고 사진 몇 장을 보여 줍니다. 옵티마이저는 없습니다. 그래도
`train` 모드에서는 러닝 평균과 러닝 분산이 움직이고, 그에 따라 출력도 달라집니다."""
    ),
    "Batches shown": "보여 준 배치 수",
    "Brightness of the photos, %": "사진 밝기, %",
    """### The line that does nothing
Only some of these lines freeze. The others raise no error: they write over a method, or make an attribute that nobody
reads. Guess first; then see what a step of training does. Lines on `parameter` run for every parameter of the encoder
stage.""": (
        """### 아무 일도 하지 않는 코드 한 줄
이 가운데 실제로 고정하는 것은 일부뿐입니다. 나머지는 오류를 내지 않으면서 메서드를 덮어쓰거나, 아무도 읽지 않는 속성을 만들
뿐입니다. 먼저 짐작해 보고, 학습을 한 스텝 진행하면 어떻게 되는지 확인해 보세요. `parameter`로 시작하는 줄은 인코더 단계의 모든
파라미터에 대해 실행됩니다."""
    ),
    "Line of code": "코드 한 줄",
    """### Where weights start
Weights that are trained from nothing are drawn at random, and their spread decides whether a signal gets through.
Noise goes through a stack of 3×3 convs with fresh weights, without biases or BatchNorm. With ReLU, He's spread,
√(2 / fan in), keeps the activations' size; it is what this project's networks start from
(He et al. 2015). Xavier's, √(2 / (fan in + fan out)), was made without ReLU in mind (Glorot and Bengio 2010).""": (
        """### 가중치 초기화
처음부터 학습하는 가중치는 무작위로 뽑으며, 값이 얼마나 퍼져 있는지에 따라 신호가 끝까지 전달되는지가 정해집니다. 여기서는 편향도
배치 정규화도 없이 새 가중치로 쌓은 3×3 합성곱 층들에 노이즈를 통과시킵니다. ReLU를 쓸 때 He의 표준편차 √(2 / fan in)은 활성값의
크기를 유지합니다. 이 프로젝트의 네트워크도 여기서 출발합니다(He et al. 2015). Xavier의 표준편차 √(2 / (fan in + fan out))은
ReLU를 염두에 두지 않고 만들어졌습니다(Glorot and Bengio 2010)."""
    ),
    "Weights drawn by": "가중치 초기화 방법",
    "Layers": "층 수",
    "Channels": "채널 수",
    "Draw number": "추출 번호 (난수 시드)",
    "ReLU after each conv": "합성곱마다 뒤에 ReLU 적용",
}
