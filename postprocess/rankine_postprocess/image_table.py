"""The results of an image network as text: accuracies, kernels, cuts, classes, rates of an inspection."""

import numpy as np

from .compression import Compression
from .image_result import CutStudy, ImageResult, Share

_MOST_CLASSES = 50


def header(result: ImageResult | Compression) -> str:
    """Which network, how and by what."""
    network = ", ".join(filter(None, [getattr(result, "architecture", ""), result.model]))
    rows = [("title", result.title), ("network", network), ("method", result.method),
            ("program", f"{result.program} {result.program_version}, commit {result.git_commit[:12]}"),
            ("status", result.status)]  # fmt: skip
    return "\n".join(row(name, text) for name, text in rows if text)


def tables(result: ImageResult) -> str:
    """Everything the file holds, one table below the other."""
    return "\n\n".join(filter(None, [_accuracies(result), details(result)]))


def details(result: ImageResult) -> str:
    """All but the accuracies of the whole network."""
    parts = [_kernels(result), _cuts(result), _epochs(result), _classes(result), _inspection(result)]
    return "\n\n".join(filter(None, parts))


def row(name: str, text: str) -> str:
    """A line of a list of names and what they are."""
    return f"{name:<28} {text}"


def _share(share: Share) -> str:
    return f"{100 * share.value:.2f} % ({100 * share.low:.2f} to {100 * share.high:.2f})"


def _accuracies(result: ImageResult) -> str:
    moments = (("accuracy before", result.accuracy_before), ("compressed", result.accuracy_compressed),
               ("statistics of its own", result.accuracy_re_estimated))  # fmt: skip
    rows = [row(name, f"{100 * value:.2f} %") for name, value in moments if value is not None]
    rows += end(result)
    if None not in (result.parameters_before, result.parameters_after):
        part = result.parameters_after / result.parameters_before
        rows.append(row("numbers of the network", f"{result.parameters_before} -> {result.parameters_after} ({part:.4f})"))
    return "\n".join(rows)


def end(result: ImageResult) -> list[str]:
    """Lines of the accuracy in the end, and of its difference to the network that was read."""
    rows = []
    if result.accuracy is not None:
        rows.append(row("accuracy", f"{_share(result.accuracy)}, {result.evaluation}"))
    if result.difference is not None:
        rows.append(row("difference to before", _share(result.difference).replace("%", "points")))
    return rows


def _kernels(result: ImageResult) -> str:
    if not result.kernels:
        return ""
    width = max(len("kernel"), *map(len, result.kernels))
    rows = [f"{'kernel':<{width}}  {'shape':<19}  {'form':>9}  {'ranks':>13}  {'parameters':>10}  {'error':>9}  {'norm loss':>9}"]
    for kernel in result.kernels.values():
        rows.append(f"{kernel.name:<{width}}  {' x '.join(map(str, kernel.shape)):<19}  {kernel.form:>9}  "
                    f"{' x '.join(map(str, kernel.ranks)):>13}  {kernel.parameters:>10}  {kernel.weighted_error:9.3e}  "
                    f"{kernel.norm_loss:9.3e}")  # fmt: skip
    return "\n".join(rows)


def _cuts(result: ImageResult) -> str:
    """All layers together: accuracy and mean norm loss for every kept part of the rank."""
    study = result.cuts
    if study is None or not study.accuracy.size:
        return ""
    width = max(len("all layers"), *map(len, study.cuts))
    shown = [f"{100 * fraction:.4g} %" for fraction in study.fractions]
    heads = [*(f"accuracy {part}" for part in shown), *(f"norm loss {part}" for part in shown)]
    rows = ["  ".join([f"{'all layers':<{width}}", *heads])]
    for c, cut in enumerate(study.cuts):
        values = [*(f"{100 * value:.2f} %" for value in study.accuracy[c, :, -1]),
                  *(f"{value:.4f}" for value in study.norm_loss[c, :, -1])]  # fmt: skip
        rows.append("  ".join([f"{cut:<{width}}", *(f"{value:>{len(head)}}" for value, head in zip(values, heads))]))
    return "\n".join([*rows, "", _weakest(result, study)])


def _weakest(result: ImageResult, study: CutStudy) -> str:
    """The layer that a cut costs most, at the smallest kept part of the rank."""
    least = int(np.argmin(study.fractions))
    rows = [f"worst layer at {100 * study.fractions[least]:.4g} % of the rank"]
    for c, cut in enumerate(study.cuts):
        alone = study.accuracy[c, least, :-1]
        if alone.size and np.isfinite(alone).any():
            worst = int(np.nanargmin(alone))
            rows.append(row(cut, f"{100 * alone[worst]:.2f} %  {study.layers[worst]}"))
    return "\n".join(rows)


def _epochs(result: ImageResult) -> str:
    if result.epoch is None or not result.epoch.size:
        return ""
    rows = [f"{epoch:>5}  {100 * value:8.2f} %" for epoch, value in zip(result.epoch, result.epoch_accuracy)]
    return "\n".join(["epoch    accuracy", *rows])


def _classes(result: ImageResult) -> str:
    if result.confusion is None:
        return ""
    totals, found = result.confusion.sum(axis=1), result.confusion.diagonal()
    rows = [f"{c:>5}  {total:>6}  {100 * right / total:8.2f} %" if total else f"{c:>5}  {total:>6}         -"
            for c, (total, right) in enumerate(zip(totals[:_MOST_CLASSES], found))]  # fmt: skip
    more = [] if len(totals) <= _MOST_CLASSES else [f"and {len(totals) - _MOST_CLASSES} more"]
    miss = [] if result.macro_miss_rate is None else ["", row("macro miss rate", f"{100 * result.macro_miss_rate:.2f} %")]
    return "\n".join(["class  images    recall", *rows, *more, *miss])


def _inspection(result: ImageResult) -> str:
    if result.missed_defects is None or result.false_alarms is None:
        return ""
    rows = [row("missed defects", _share(result.missed_defects)), row("false alarms", _share(result.false_alarms))]
    if result.auc is not None:
        rows.append(row("area under the curve", f"{result.auc.value:.4f} ({result.auc.low:.4f} to {result.auc.high:.4f})"))
    return "\n".join(rows)
