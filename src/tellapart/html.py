"""What every page and notebook view shares: escaping, pictures as text, plain tables."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Sequence
from typing import Any

# JSON stands inside <script>: these five could end the element or the line, and occur only in
# strings, where the escape means the same.
_UNSAFE_IN_SCRIPT = str.maketrans(
    {char: f"\\u{ord(char):04x}" for char in ("<", ">", "&", "\u2028", "\u2029")}
)


def json_for_script(value: Any) -> str:
    """Return compact JSON that is safe inside a script element; NaN and infinities are refused."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_UNSAFE_IN_SCRIPT)


def data_uri(content: bytes, kind: str = "image/jpeg") -> str:
    """Return a picture's bytes as a `data:` URI, the only picture source our pages allow."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return an HTML table with every cell escaped; numbers get the class `number`."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<td>{html.escape(str(value))}</td>"
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
    return f'<td class="number">{text}</td>'
