"""Frequencies of a variant as results of a study: GA4GH's CohortAlleleFrequencyStudyResult (VA-Spec 1).

A result has counts, or there is none: of a cell that is masked, or of which nobody could be called, nothing
is said, and its parts stand for themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from afpanel.model.groups import TOTAL, GroupKind, country_of, kind_of


@dataclass(frozen=True)
class Figures:
    """What a release shows of a group at a variant; None is missing.

    Parameters
    ----------
    allele_count, allele_number
        AC and AN.
    frequency
        AF as published.
    homozygotes, hemizygotes
        nhomalt and nhemialt.
    faf95
        Filtering allele frequency.
    call_rate
        AN as a share of the copies that people have.
    """

    allele_count: int | None
    allele_number: int | None
    frequency: float | None
    homozygotes: int | None
    hemizygotes: int | None
    faf95: float | None
    call_rate: float | None


@dataclass(frozen=True)
class Study:
    """What all results of a release share.

    Parameters
    ----------
    name, version
        Of the panel.
    people
        People of each group, in the order of the release.
    """

    name: str
    version: str
    people: Mapping[str, int]

    def results(
        self,
        variant: str,
        allele: Mapping[str, Any],
        figures: Mapping[str, Figures],
        of_total: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        """Lay out what is shown of a variant, as few results as hold it.

        Parameters
        ----------
        variant
            Its identifier, ``chrom-pos-ref-alt``.
        allele
            Its VRS allele.
        figures
            By name of the group.
        of_total
            Further results of the whole panel (``ancillaryResults``), such as the maximum of groups.

        Returns
        -------
        list
            One result, with those of parts inside; several, if what they are parts of is masked.
        """

        def result(group: str, inside: list[dict[str, Any]]) -> dict[str, Any]:
            return self._result(variant, allele, group, figures[group], of_total, inside)

        def whole(
            group: str, parts: Sequence[str], inner: list[dict[str, Any]]
        ) -> list[dict[str, Any]]:
            inside = [*inner, *(result(part, []) for part in parts if _is_shown(figures[part]))]
            return [result(group, inside)] if _is_shown(figures[group]) else inside

        groups = list(figures)
        countries = [g for g in groups if kind_of(g) is GroupKind.COUNTRY]
        populations = [g for g in groups if kind_of(g) is GroupKind.POPULATION]
        alone = [p for p in populations if country_of(p) not in countries]
        nested = [
            each
            for country in countries
            for each in whole(country, [p for p in populations if country_of(p) == country], [])
        ]
        sexes = [g for g in groups if kind_of(g) is GroupKind.SEX]
        if TOTAL not in figures:
            return [*nested, *(result(g, []) for g in [*alone, *sexes] if _is_shown(figures[g]))]
        return whole(TOTAL, [*alone, *sexes], nested)

    def _result(
        self,
        variant: str,
        allele: Mapping[str, Any],
        group: str,
        figures: Figures,
        of_total: Mapping[str, Any],
        inside: list[dict[str, Any]],
    ) -> dict[str, Any]:
        ancillary = {
            "homozygotes": figures.homozygotes,
            "hemizygotes": figures.hemizygotes,
            "faf95": figures.faf95,
            **(of_total if group == TOTAL else {}),
        }
        stem = f"{self.name}-{self.version}"
        content: dict[str, Any] = {
            "id": f"{stem}:{variant}:{group}",
            "type": "CohortAlleleFrequencyStudyResult",
            "sourceDataSet": {
                "id": stem,
                "type": "DataSet",
                "name": self.name,
                "version": self.version,
            },
            "focusAllele": allele,
            "focusAlleleCount": figures.allele_count,
            "locusAlleleCount": figures.allele_number,
            "focusAlleleFrequency": figures.frequency,
            "cohort": {
                "id": group,
                "type": "StudyGroup",
                "name": _NAMES.get(group, group),
                "memberCount": self.people[group],
            },
            "ancillaryResults": {k: v for k, v in ancillary.items() if v is not None},
        }
        if figures.call_rate is not None:
            content["qualityMeasures"] = {"callRate": figures.call_rate}
        if inside:
            content["subCohortFrequency"] = inside
        return content


_NAMES = {TOTAL: "everybody in the panel", "XX": "XX people", "XY": "XY people"}


def _is_shown(figures: Figures) -> bool:
    """Tell whether there is a frequency."""
    return figures.frequency is not None
