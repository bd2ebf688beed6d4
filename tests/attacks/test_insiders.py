"""Attacks by a contributor, who takes figures of its own away from what is shown, masked or not.

Each succeeds on a release that protects from readers alone, and fails on one that protects from insiders.
"""

import json
import shutil

import numpy as np
import pytest
from tests.published_files import simulate
from tests.tiered import release_under

from afpanel.stages.verify_release import attack_release


def less_own(insiders, published):
    """Yield, for each variant and insider: the total without what the insider knows, and the countries left."""
    keys, values = published.keys, {"total": published["AC"]}
    values |= {country: published[f"AC_{country}"] for country in published.countries}
    for row in np.flatnonzero(~np.isnan(values["total"])).tolist():
        truth = insiders.truth[keys[row]]
        for own in published.countries:
            left, hidden = values["total"][row] - truth[own], []
            for country in published.countries:
                if country == own:
                    continue
                if np.isnan(values[country][row]):
                    hidden.append(country)
                else:
                    left -= values[country][row]
            yield truth, left, hidden


def exact(insiders, published) -> int:
    """Count the cells of few copies that one insider knows exactly: the only masked one of the others."""
    found = 0
    for truth, left, hidden in less_own(insiders, published):
        if len(hidden) == 1 and 0 < left < insiders.k:
            assert truth[hidden[0]] == left
            found += 1
    return found


def few_together(insiders, published) -> int:
    """Count the times that all masked cells of the others have few copies together, so that each has few."""
    found = 0
    for truth, left, hidden in less_own(insiders, published):
        if len(hidden) > 1 and 0 < left < insiders.k:
            assert sum(truth[each] for each in hidden) == left
            found += 1
    return found


@pytest.mark.parametrize("attack", [exact, few_together])
def test_a_contributor_succeeds_unless_the_release_protects_from_insiders(insiders, attack):
    assert attack(insiders, insiders.readers) > 10
    assert attack(insiders, insiders.contributors) == 0


def test_the_protection_leaves_most_of_the_release(insiders):
    before, after = (len(each.keys) for each in (insiders.readers, insiders.contributors))
    assert 0.8 * before < after <= before


def test_the_verifier_is_an_insider_where_it_is_given_their_figures(tmp_path):
    """A release for readers is sound as such; told that it holds against insiders, it does not."""
    panels = simulate(tmp_path / "merged", 60)
    kinds = ["total", "country", "population"]
    folders = [
        release_under(panels, tmp_path / str(on), groups=kinds, insider_protection=on)
        for on in (False, True)
    ]
    for folder in folders:
        for path in [*folder.glob("*.parquet"), *folder.glob("*.zarr.zip")]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert attack_release(folder, 0, panels)["vcf"].found == {}
    path = folders[0] / "manifest.json"
    manifest = json.loads(path.read_text())
    lines = {each["rule"]: each for each in manifest["policy"]["effective"]}
    lines["insider_protection"]["value"] = True
    path.write_text(json.dumps(manifest))
    found = attack_release(folders[0], 0, panels)["vcf"].found
    assert {what[:-2] for what in found} == {"what is masked can be worked out by "}
    assert sum(found.values()) > 20
