"""Values and decks as TOML, which Python reads but does not write."""

import json


def value_text(value) -> str:
    """One value as it stands behind the = of a keyword."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {value_text(one)}' for key, one in value.items())} }}"
    if isinstance(value, int | float):
        return repr(value)
    return value.isoformat()  # a date or a time, which programs refuse with their own words


def deck_text(sections: dict) -> str:
    """Keywords of the top level first, then each section."""
    top = [f"{_key(key)} = {value_text(value)}\n" for key, value in sections.items() if not isinstance(value, dict)]
    parts = ["".join(top)] if top else []
    for name, section in sections.items():
        if isinstance(section, dict):
            parts.append(f"[{_key(name)}]\n" + "".join(f"{_key(key)} = {value_text(value)}\n" for key, value in section.items()))
    return "\n".join(parts)


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if is_bare else json.dumps(name)
