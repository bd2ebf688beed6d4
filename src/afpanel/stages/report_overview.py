"""The first screen of a report: whether the panel is sound, what is in it, what was withheld, and the risk."""

from collections.abc import Sequence
from html import escape

from afpanel.stages.report_checks import Answer, Check
from afpanel.stages.report_data import ReportData, counted, listed, share
from afpanel.stages.report_disclosure import highest_risk

_CLASS = {Answer.SOUND: "ok", Answer.LOOK: "look", Answer.OPEN: "open"}
_MARK = {Answer.SOUND: "✓", Answer.LOOK: "!", Answer.OPEN: "?"}


def head(data: ReportData) -> str:
    """Lay out what the page is about."""
    panel, people = data.manifest["panel"], data.people
    countries = sorted({each["country"] for each in data.manifest["cohorts"]})
    inside = "" if data.findings is None else (
        '<p class="inside" role="note">For the hub alone: this page has counts that no gate has seen. Do not pass'
        " it on.</p>\n"
    )  # fmt: skip
    return (
        f'<a class="skip" href="#overview">Skip to the report</a>\n{inside}<header>\n<div>\n'
        '<p class="kind">Allele frequency reference panel</p>\n'
        f"<h1>{escape(panel['name'])} {escape(panel['version'])}</h1>\n"
        f"<p>{people[data.groups[0]]:,} people of {counted(len(countries), 'country', 'countries')}"
        f" ({escape(listed(countries))}), {data.manifest['decision']['variants']:,} variants on"
        f" {escape(data.manifest['reference']['build'])}. Counts of groups, and nothing about single people.</p>\n"
        "</div>\n</header>"
    )


def cards(data: ReportData, found: Sequence[Check]) -> str:
    """Lay out the four answers."""
    each = (_sound(found), _inside(data), _withheld(data), _risk(data))
    return '<div class="cards">\n' + "\n".join(each) + "\n</div>"


def _card(kind: str, question: str, answer: str, *texts: str) -> str:
    inner = "".join(f"<p>{escape(text)}</p>" for text in texts)
    return f'<div class="card {kind}"><h3>{escape(question)}</h3><p class="big">{escape(answer)}</p>{inner}</div>'


def _sound(found: Sequence[Check]) -> str:
    look = [each for each in found if each.answer is Answer.LOOK]
    not_told = sum(each.answer is Answer.OPEN for each in found)
    passed = len(found) - len(look) - not_told
    return _card(
        "look" if look else "ok",
        "Is this panel sound?",
        f"{counted(len(look), 'point')} to look at" if look else "No warning sign",
        f"Of {len(found)} checks, {passed} found nothing, {len(look)} found something to look at, and"
        f" {not_told} could not tell.",
    )


def _inside(data: ReportData) -> str:
    manifest = data.manifest
    formats = sorted({_format(file["path"]) for file in manifest["files"]} - {""})
    return _card(
        "open",
        "What is in it?",
        f"{manifest['decision']['variants']:,} variants",
        f"{data.people[data.groups[0]]:,} people in {counted(len(data.groups), 'group')}, of"
        f" {counted(len(manifest['cohorts']), 'cohort')}.",
        f"Files: {listed(formats)}, all with the same figures.",
    )


def _format(path: str) -> str:
    names = {".vcf.gz": "VCF", ".parquet": "Parquet", ".zarr.zip": "Zarr"}
    return next((name for ending, name in names.items() if path.endswith(ending)), "")


def _withheld(data: ReportData) -> str:
    decision = data.manifest["decision"]
    cells = sum(data.numbers("states", "cells"))
    groups = [each["group"] for each in decision["withheld_groups"]]
    limit = data.manifest["policy"]["min_allele_count"]
    size = data.manifest["policy"]["min_group_size"]
    return _card(
        "open",
        "What was withheld, and why?",
        f"{share(decision['masked_cells'], cells)} of cells",
        f"A cell is a group at a variant. Those of fewer than {limit} copies are masked, and"
        f" {decision['masked_secondary']:,} more that would give them away."
        if limit > 1
        else "The policy sets no limit on small counts.",
        f"Groups not shown: {listed(groups)}. The smallest that may be has {counted(max(size, 1), 'person', 'people')}.",
    )


def _risk(data: ReportData) -> str:
    worst = highest_risk(data)
    question = "What is the risk?"
    if worst is None:
        return _card(
            "look",
            question,
            "Not worked out",
            "How surely somebody who holds a person's genome could tell that the person is in a group was not"
            " handed on with this release.",
        )
    risk = data.manifest["risk"]
    limit = risk.get("limit_realistic")
    return _card(
        "open",
        question,
        f"{share(worst[0], 1)} recognized",
        f"So many people of {worst[1]}, the group at most risk, would a realistic attacker recognize who holds"
        f" their genomes and is wrong about {share(risk['false_positive_rate'], 1)} of others.",
        "No limit was set." if limit is None else f"The limit is {share(limit, 1)}.",
    )


def check_list(found: Sequence[Check]) -> str:
    """Lay out every check and what it found."""
    items = "\n".join(
        f'<li><span class="tag {_CLASS[each.answer]}"><span aria-hidden="true">{_MARK[each.answer]} </span>'
        f'{each.answer.value}</span><div><p>{escape(each.question)}</p><p class="why">{escape(each.why)}'
        f' <a href="#{each.figure}">See {escape(each.seen)}</a></p></div></li>'
        for each in found
    )
    return f'<div class="card">\n<ul class="checks">\n{items}\n</ul>\n</div>'
