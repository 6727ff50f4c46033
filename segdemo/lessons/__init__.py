"""What the lessons show, as pure functions on tensors; the page only draws it."""
