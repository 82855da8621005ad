"""Words on figures of compressed models: methods, sizes, kinds of weights, titles and footers."""

import re
from collections.abc import Callable

from .compression import Compression
from .labels import plain
from .wording import count, shortened

# What decides how much is kept; all else tells methods apart.
_SIZES = {"ranks.parameter_ratio", "ranks.bond_dimension", "ranks.bits_per_weight", "method.clusters"}
_METHOD_SECTIONS = ("calibration", "select", "method", "fit", "ranks", "heal")
_KINDS = {
    "q_proj": "q", "k_proj": "k", "v_proj": "v", "o_proj": "o",
    "gate_proj": "gate", "up_proj": "up", "down_proj": "down",
    "wq": "q", "wk": "k", "wv": "v", "wo": "o", "w1": "gate", "w3": "up", "w2": "down",
    "query": "q", "key": "k", "value": "v", "c_fc": "up",
}  # fmt: skip
KIND_ORDER = ("q", "k", "v", "o", "gate", "up", "down")


def method(compression: Compression) -> str:
    """Form, weighting and allocation in a few words: "pivoted, two-sided, additive"."""
    setting = compression.setting
    form, weighting = setting("method.form", "?"), setting("method.weighting", "none")
    parts = [{"mpo": f"operator of {count(setting('method.sites'), 'site')}"}.get(form, form)]
    parts.append("unweighted" if weighting == "none" else weighting)
    if form == "clustered":
        share = setting("method.outlier_share", 0)
        parts.append(f"{100 * share:g} % outliers" if share else count(setting("method.outliers", 0), "outlier"))
    else:
        parts.append(setting("ranks.allocation", ""))
        parts.append("measured errors" if setting("ranks.error_weights") == "measured" else "")
        parts.append("fitted in order" if setting("fit.order") == "sequential" else "")
    if (stored := setting("method.storage", "exact")) != "exact":
        parts.append(f"in {stored}")
    if setting("heal.steps", 0):
        parts.append("distilled" if setting("heal.loss") == "distillation" else "healed")
    return ", ".join(shortened(str(part)) for part in parts if part)


def size(compression: Compression) -> str:
    """What of the deck decides how much is kept: "0.8", "K = 16", "3.2 bits", "rank 40"."""
    if bits := compression.setting("ranks.bits_per_weight", 0):
        return f"{bits:g} bits"
    if compression.setting("method.form") == "clustered":
        return f"K = {compression.setting('method.clusters')}"
    if rank := compression.setting("ranks.bond_dimension", 0):
        return f"rank {rank}"
    ratio = compression.setting("ranks.parameter_ratio", 1)
    return f"{ratio:g}" if isinstance(ratio, (int, float)) else shortened(str(ratio))


def group_by_method(compressions: list[Compression]) -> dict[str, list[Compression]]:
    """Label -> files that differ in nothing but how much they keep; labels say what else differs."""
    return group_by(compressions, method, settings)


def group_by(results: list, method: Callable[..., str], settings: Callable[..., dict[str, str]]) -> dict[str, list]:
    """Label -> results of equal settings; labels are the method's and say which settings tell equal methods apart.

    Keywords that one of the files does not have (its program did not) tell nothing.
    """
    groups: dict[tuple, list] = {}
    for result in results:
        groups.setdefault(tuple(sorted(settings(result).items())), []).append(result)
    by_method: dict[str, list[tuple]] = {}
    for key, members in groups.items():
        by_method.setdefault(method(members[0]), []).append(key)
    labelled: dict[str, list] = {}
    for name, keys in by_method.items():
        for key in keys:
            differing = [_in_words(keyword, value) for keyword, value in key
                         if any(dict(other).get(keyword, value) != value for other in keys)]  # fmt: skip
            labelled.setdefault(", ".join([name, *filter(None, differing)]), []).extend(groups[key])
    return labelled


def _in_words(keyword: str, value: str) -> str:
    """A keyword that tells two methods apart; nothing for tokens of the text itself."""
    if keyword == "calibration.gradient_targets":
        return "sampled tokens" if value == "sampled" else ""
    if keyword == "calibration.gradient_windows":
        return f"{value} window{'' if value == '1' else 's'}"
    return f"{keyword.split('.')[1]} {value}".replace("_", " ")


def settings(compression: Compression) -> dict[str, str]:
    """The keywords that tell methods apart; where nothing is calibrated or trained, not how."""
    calibrated = compression.setting("method.weighting", "none") != "none"
    healed = bool(compression.setting("heal.steps", 0))
    found = {}
    for section in _METHOD_SECTIONS:
        if (section == "heal" and not healed) or (section == "calibration" and not (calibrated or healed)):
            continue
        for keyword, value in compression.deck.get(section, {}).items():
            if f"{section}.{keyword}" not in _SIZES:
                found[f"{section}.{keyword}"] = str(value)
    return found


def place(name: str) -> tuple[int, str]:
    """The layer and the kind of a weight: (11, "down")."""
    numbers = re.search(r"(?:^|\.)(\d+)\.(.*)", name)
    layer, rest = (int(numbers[1]), numbers[2]) if numbers else (0, name)
    last = rest.split(".")[-1]
    if last == "c_proj":  # GPT-2 calls two weights so
        return layer, "o" if "attn" in rest else "down"
    return layer, _KINDS.get(last, last)


def title(compressions: list[Compression], otherwise: str) -> str:
    """The deck's title where there is one only."""
    titles = {compression.title for compression in compressions}
    return plain(titles.pop() if len(titles) == 1 and "" not in titles else otherwise)


def _program(compression: Compression) -> str:
    return f"{compression.program} {compression.program_version}"


def footer(compressions: list[Compression], *more: str) -> str:
    """Model and protocol of the numbers, then the programs that made them."""
    first = compressions[0]
    programs = [
        f"{program}, commit {', '.join(dict.fromkeys(c.git_commit[:12] for c in compressions if _program(c) == program))}"
        for program in dict.fromkeys(map(_program, compressions))
    ]
    partial = [f"PARTIAL RESULT (status {c.status})" for c in compressions if c.status != "complete"][:1]
    model = [f"model {first.model}"] if first.model else []
    lines = [first.evaluation, " · ".join([*model, *more, *programs, *partial])]
    return plain("\n".join(filter(None, lines)))
