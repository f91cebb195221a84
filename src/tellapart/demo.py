"""The pictures of the demo: scikit-learn's handwritten digits, written out as class folders."""

from __future__ import annotations

from pathlib import Path

from tellapart.errors import OutputError
from tellapart.places import writing

DIGITS = "digits"
SIDE = 64  # px; the set has 8 x 8, which nobody can look at


def write_digits(folder: Path) -> Path:
    """Write the 1,797 digits as FOLDER/digits/<0..9>/<n>.png and return that folder.

    The set ships inside scikit-learn: the test part of the optical recognition of handwritten
    digits data set (Alpaydin and Kaynak, UCI, CC BY 4.0). Files that stand there already are kept.
    Raises OutputError where FOLDER holds something else.
    """
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    pictures = folder / DIGITS
    if folder.exists() and any(folder.iterdir()) and not pictures.is_dir():
        raise OutputError(f"{folder} holds something else: name a new folder for the demo")
    digits = load_digits()
    levels = np.rint(255 - digits.images * (255 / 16)).astype(np.uint8)  # dark ink on white
    with writing(pictures):
        for number, (level, label) in enumerate(zip(levels, digits.target, strict=True)):
            place = pictures / str(label) / f"{number:04}.png"
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                image = Image.fromarray(level).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
                image.save(place)
    return pictures
