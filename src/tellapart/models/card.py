"""The model card: what a stranger should know before they use the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tellapart.images.bands import RGB

if TYPE_CHECKING:
    from tellapart.models.classifier import Classifier, ModelPart

MOST_ROWS = 200  # classes in the card's table; the rest is counted


def model_card(classifier: Classifier) -> str:
    """Return the model card as Markdown: data, number with interval, per class, limits, licence."""
    card = classifier.card
    lines = [
        "# An image classifier made with tellapart",
        "",
        f"Tells apart {len(classifier.classes):,} classes: {_listed(classifier.classes)}.",
        "",
        *_number(classifier),
        *_per_class(card.get("per_class") or []),
        "## Data",
        "",
        f"Fitted on {card['train_pictures']:,} pictures of {_code(card['data'])}.",
        "",
        "## How to use it",
        "",
        "```",
        f"pip install {_package(classifier)}",
        "tellapart predict THIS_FOLDER PICTURES",
        "```",
        "",
        "## Limits",
        "",
        "It answers with one of its classes whatever it is shown, also for pictures of something",
        "else. Its number holds for pictures that come about as those it was judged on did:",
        "another place, season, camera or crop can be harder. Judge it on your own pictures with",
        "`tellapart evaluate THIS_FOLDER YOUR_PICTURES`.",
        "",
        "## What it is made of",
        "",
        *(_backbone(part) for part in classifier.parts),
        f"- Head: {classifier.head.kind}; {_code(card['settings'])}.",
        *(
            [f"- The answer is the mean probability of {len(classifier.tta)} views of a picture."]
            if classifier.tta
            else []
        ),
        f"- Features made with {' '.join(classifier.checked_with.values())}; it predicts"
        f" {'with OpenVINO ' if classifier.networks else ''}on any CPU.",
        "- The pictures' own licence is not known to tellapart: it holds for what you may do with",
        "  the model.",
        "",
    ]
    return "\n".join(lines)


def _package(classifier: Classifier) -> str:
    needs_images = any(part.name == "hog" for part in classifier.parts)
    return '"tellapart[classical]"' if needs_images else "tellapart"


def _backbone(part: ModelPart) -> str:
    seen = "" if part.bands == RGB else f" of the bands {', '.join(str(b + 1) for b in part.bands)}"
    views = "" if len(part.views) == 1 else f", the mean of {len(part.views)} views"
    return (
        f"- Backbone: {part.name}, {part.features:,} features{seen} at {part.transform.size} px"
        f"{views}, licence {part.licence}."
    )


def _number(classifier: Classifier) -> list[str]:
    from tellapart.models.classifier import headline_text

    headline = classifier.headline
    if headline is None:
        return []
    name = str(headline["name"]).replace("_", " ")
    lines = [
        "## How good it is",
        "",
        f"{name.capitalize()}: {headline_text(headline)}; 95 % interval.",
        "",
    ]
    if headline.get("split") == "cv":
        lines += [
            "Each picture was judged by a classifier made the same way that had not seen it, nor a",
            "copy of it or one of its group. This one learned from all of them.",
            "",
        ]
    if classifier.card.get("refit"):
        lines += [
            "That number was measured before the head was fitted again on every picture, those it"
            " was judged on included (`--refit`).",
            "",
        ]
    return lines


def _per_class(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = ["| class | pictures | precision | recall |", "| --- | --- | --- | --- |"]
    for row in rows[:MOST_ROWS]:
        cells = (
            _cell(row["class"]),
            f"{row['pictures']:,}",
            _interval(row["precision"]),
            _interval(row["recall"]),
        )
        lines.append(f"| {' | '.join(cells)} |")
    if len(rows) > MOST_ROWS:
        lines.append(f"| and {len(rows) - MOST_ROWS:,} more | | | |")
    return [*lines, ""]


def _interval(estimate: dict[str, Any]) -> str:
    if estimate["value"] is None:
        return "-"
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(_code(name) for name in names[:20])
    return f"{shown} and {len(names) - 20:,} more" if len(names) > 20 else shown


def _code(text: str) -> str:
    """Names are data: as code, nothing in them becomes a link, HTML or the end of a line."""
    return f"`{' '.join(text.split()).replace('`', chr(39))}`"


def _cell(text: str) -> str:
    return _code(text).replace("|", "\\|")
