"""Every tab and lesson in Korean: what stands there in English is a name, code or a formula."""

import re

from playwright.sync_api import expect
from steps import go

from segdemo.ui.i18n import CATALOGUES

KO = CATALOGUES["ko"]
# Each tab and lesson, by the tabs that lead to it, with an element of it that comes late.
PLACES = {
    ("page.segment",): "#overlay img",
    ("page.compare",): "#cmp-pair input",
    ("page.batch",): "#batch-run",
    ("page.about",): "#about",
    ("page.lessons", "lessons.teach"): "#teach-photo-taps img",
    ("lessons.fc",): "#fc-steps",
    ("lessons.sizes",): "#fm-maps figure",
    ("lessons.transposed",): "#tc-sizes",
    ("lessons.pooling",): "#ap-sizes table",
    ("lessons.transfer",): "#tl-start svg",
    ("lessons.why",): "#why-answer table",
}
# What a text or an attribute may hold besides Hangul: names of networks and data sets, classes, units and notation.
ALLOWED = re.compile(
    r"VGG16, dense|VGG-FCN-\d+s|FCN(-\d+s)?|VGG\d*|U-Net|ResNet\d*|Classifier, 1×1 conv|1×1 conv"
    r"|ImageNet|VOC|CamVid|Oxford-IIIT Pet|segdemo|Gradio|API|torchvision|torch|ConvTranspose2d|Grad-CAM|CAM|Xavier|He"
    r"|person|background|cat|dog|animal|viridis|COCO RLE|mIoU|IoU|PNG|zip|px|ms|cpu|float32|bfloat16|fan (in|out)"
    r"|ReLU|SGD|softmax|train|eval|pool\d|conv\d|fc\d|stages[\d.]+|head[\d.]+|score|upscore8.conv|EN / "
    r"|(model\.)?(parameter|encoder)\.requires_grad\w*( = False|\(False\))|Linear\(\d+, \d+\)|[a-z0-9]+_\w+(\.conv)?"
    r"|(?<=[가-힣])\([^()]*\)|\(Parkhi[^()]*\)"  # a term in English behind the one in Korean, and sources
)
TEXTS = """() => {
  const isCode = (element) => element?.closest("code, pre, .cm-content");
  const isSeen = (element) => element?.checkVisibility({ visibilityProperty: true }) && !isCode(element);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = new Set();
  while (walker.nextNode()) if (isSeen(walker.currentNode.parentElement)) found.add(walker.currentNode.nodeValue);
  const fields = "input:is([type=text], :not([type]))";
  const names = ["alt", "aria-label", "data-label", "placeholder", "title"];
  for (const element of document.querySelectorAll([fields, ...names.map((name) => `[${name}]`)])) {
    if (!isSeen(element)) continue;
    for (const name of names) found.add(element.getAttribute(name) ?? "");
    if (element.matches(fields)) found.add(element.value);
  }
  return [...found, document.title];
}"""


def english(texts):
    """Give the texts that have a run of Latin letters left when what may be English is taken away."""
    return sorted(text.strip() for text in texts if re.search("[A-Za-z]{2,}", ALLOWED.sub(" ", text)))


def test_nothing_but_names_stands_in_english(open_page):
    page = open_page(query="?lang=ko", locale="en-GB")
    found = {}
    for tabs, element in PLACES.items():
        for key in tabs:
            go(page, KO[key])
        expect(page.locator(element).first).to_be_visible(timeout=60_000)
        found[tabs[-1]] = english(page.evaluate(TEXTS))
    assert {key: texts for key, texts in found.items() if texts} == {}


def test_english_among_korean_would_be_found():
    assert english(["점수: background", "Scores: background", "링크 복사 now", "FCN-8s의 클래스 맵"]) == [
        "Scores: background",
        "링크 복사 now",
    ]
