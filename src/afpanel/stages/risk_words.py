"""The membership risk of a release in words, for those who decide."""

import textwrap
from collections.abc import Iterator

from afpanel.stages.assessment import Assessed, Assessment

_SURE = 0.5
_WIDTH = 100


def words_of(found: Assessment) -> str:
    """Say in words what the figures mean."""
    question = (
        "Somebody who holds the genome of a person wants to know whether the person is in a group."
        " They compare it with the group's frequencies and with those of other people, and may be wrong"
        f" about {_one_in(found.alpha)} of those who are not in it. The power is the share of the"
        " group's people whom they recognize."
    )
    paragraphs = ["Membership risk", *_in_short(found), question, *map(_of_group, found.groups)]
    asked = "; ".join(f"{queries:,}: {power:.3f}" for queries, power in found.existence())
    paragraphs.append(
        "The rows themselves: power of asking which rare alleles of a person (below 1 %) have a row, by"
        f" how many independent ones are asked for: {asked}."
    )
    paragraphs += _on_limits(found)
    return "\n\n".join(textwrap.fill(each, _WIDTH) for each in paragraphs) + "\n"


def _in_short(found: Assessment) -> Iterator[str]:
    """Say what somebody needs to know who reads one paragraph."""
    most = max(found.groups, key=lambda each: each.risk.judged)
    worst, group = found.worst_case
    outcome = "This release is REFUSED. " if found.is_refused else ""
    yield (
        f"In short: {outcome}Somebody with a person's genome and an ordinary reference recognizes at most"
        f" {_share(most.risk.judged)} of the people of a group ({most.group}); somebody to whom nothing is"
        f" unknown but who is in it, {_share(worst)} ({group}). Who guesses finds"
        f" {_share(found.alpha)}."
    )


def _on_limits(found: Assessment) -> Iterator[str]:
    """Say what limits there are, and what they mean for the release."""
    limits = found.limits
    if limits.limit is None:
        yield "No limit was set; these figures are for those who decide."
    else:
        above = [each.group for each in found.groups if each.remedy is not None]
        yield (
            f"The limit of realistic power is {limits.limit}, asked for by"
            f" {limits.asked_by('max_realistic_power')}. "
            + (f"Above it: {', '.join(above)}." if above else "No group is above it.")
        )
    worst, group = found.worst_case
    text = f"The worst case is {worst:.3f}, in {group}."
    signed = found.sign_off
    if signed is not None:
        text += f" {signed.by} has signed up to {signed.power} ({signed.reference})."
    if not found.is_signed:
        text += " It has to be signed off before anything is published, and is not."
    yield text


def _of_group(each: Assessed) -> str:
    risk, cells = each.risk, each.cells
    text = (
        f"{each.group}: {each.people:,} people, {cells.varying:,} variants that vary,"
        f" {cells.absent:,} shown not to, {cells.masked:,} masked."
    )
    if each.has_linkage:
        text += (
            f" By their linkage the variants are worth {risk.effective:,.0f} independent ones,"
            f" and {risk.effective_if_known:,.0f} to who knows the linkage."
        )
    else:
        text += (
            " Their linkage is not known of all people, so every variant is taken for independent,"
            " which is the most there can be."
        )
    text += (
        f" With a reference of {each.attacker.reference_people:,.0f} people an attacker recognizes"
        f" {_share(risk.realistic)} of the group ({_share(risk.realistic_known)} knowing the linkage);"
        f" with a perfect one {_share(risk.worst)} ({_share(risk.worst_known)} knowing the linkage, and"
        " using what is masked or absent)."
    )
    if risk.measured is not None:
        text += f" From attacks tried on people held out it would be {_share(risk.measured)}."
    if each.trial is not None:
        attack = each.trial.attacks["likelihood_ratio"]
        text += (
            f" Tried on a pool of {each.trial.each:,}: AUC {attack.auc:.3f}, power {attack.power:.3f} at"
            f" {each.trial.false_positive_rate:g}."
        )
    if each.remedy is not None:
        fewest = each.remedy.min_allele_count
        text += f" ABOVE THE LIMIT: at most {each.remedy.variants:,} variants would pass" + (
            f", as with min_allele_count {fewest}." if fewest else "."
        )
    elif risk.worst_known > _SURE:
        text += (
            " In the worst case nearly everybody can be recognized; whoever releases it signs that."
        )
    return text


def _share(power: float) -> str:
    return f"{power:.1%}" if power < 0.9995 else "all"


def _one_in(alpha: float) -> str:
    return f"one in {1 / alpha:,.0f}"
