"""``afpanel gate --explain`` on the demonstration, against what the gate decided there."""

import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from tests.explained import hold_against, taken_apart
from tests.tiered import AS_OF, write_policy

from afpanel.cli.main import main
from afpanel.io.panel_store import read_head, read_panel_blocks
from afpanel.stages.explain import Site, explain

MOST = 20


def decided(panel, out, decision):
    """What the gate wrote of a contig, and what it read."""
    head = read_head(out)
    variants, counts = next(iter(read_panel_blocks(out, 10**6)))
    merged, before = next(iter(read_panel_blocks(panel, 10**6)))
    keys = [
        list(zip(v.position.tolist(), v.ref.objects(), v.alt.objects(), strict=True))
        for v in (variants, merged)
    ]
    said = json.loads(decision.read_text())
    return SimpleNamespace(
        contig=head.contig,
        groups=head.groups,
        row={key: row for row, key in enumerate(keys[0])},
        state=counts.state,
        counts=counts,
        all=keys[1],
        before=before,
        of_all=read_head(panel).groups,
        withheld={each["group"]: each["reason"] for each in said["withheld_groups"]},
    )


def some(decided, rng):
    """Some variants: dropped ones, ones with masked cells, and others."""
    masked = {key for key, row in decided.row.items() if (decided.state[row] == 3).any()}
    kinds = [
        [key for key in decided.all if key not in decided.row],
        [key for key in decided.all if key in masked],
        [key for key in decided.row if key not in masked],
    ]
    for keys in kinds:
        for at in rng.permutation(len(keys))[:MOST].tolist():
            yield keys[at]


def check(decided, panels, policy, contributors=None):
    """Explain some variants; gives how often each kind of reason was given, and what was said of each."""
    day = AS_OF if contributors else None
    found, texts = Counter(), {}
    for position, ref, alt in some(decided, np.random.default_rng(1)):
        site = Site(decided.contig, position, ref, alt)
        text = explain(panels, policy, site, contributors, day)
        key = (position, ref, alt)
        said = hold_against(
            text, decided.row.get(key), decided.state, decided.groups, decided.withheld
        )
        texts[key] = text
        row = decided.all.index(key)
        for group, line in said.items():
            g = decided.of_all.index(group)
            ac, an = (
                int(getattr(decided.before, f"allele_{name}")[row, g])
                for name in ("count", "number")
            )
            for why in line.why:
                if "ALT, fewer" in why:
                    assert why.startswith(f"{ac:,} cop")
                    found["few ALT"] += 1
                elif "other alleles, fewer" in why:
                    assert why.startswith(f"{an - ac:,} cop")
                    found["few others"] += 1
                else:
                    kinds = (
                        "leave few",
                        "knows its own",
                        "could be worked out",
                        "few people of a class",
                        "no copy",
                    )
                    found[next((kind for kind in kinds if kind in why), "")] += 1
    return found, texts


def test_every_cell_of_the_demonstration_is_what_is_said_of_it(by_commands, capsys):
    panels = sorted((by_commands / "results/panel/merged").glob("*.zarr.zip"))
    policy = by_commands / "config/policies/demo.yaml"
    decision = by_commands / "results/panel/decision.json"
    done = decided(panels[0], by_commands / "results/panel/releasable" / panels[0].name, decision)
    found, texts = check(done, panels, policy)
    assert min(found[kind] for kind in ("few ALT", "could be worked out", "")) > 10
    key, text = next((key, text) for key, text in texts.items() if "could be worked out" in text)
    site = Site(done.contig, *key)
    before = sorted(by_commands.rglob("*"))
    assert main(["gate", *map(str, panels), "--policy", str(policy), "--explain", str(site)]) == 0
    assert capsys.readouterr().out == text + "\n"
    assert sorted(by_commands.rglob("*")) == before
    assert "min_allele_count 3, asked for by policy" in text


def test_every_kind_of_rule_is_named_with_those_who_asked_for_it(by_commands, tmp_path):
    panels = sorted((by_commands / "results/panel/merged").glob("chr21*"))
    populations = [name for name in read_head(panels[0]).groups if "_" in name]
    policy, contributors = write_policy(
        tmp_path,
        populations,
        min_group_size={"total": 50, "country": 30, "population": 30, "sex": 30},
        min_genotype_count=3,
        insider_protection=True,
        populations_never_shown=["VN_KHV"],
    )
    out, decision = tmp_path / "out", tmp_path / "decision.json"
    command = [
        "gate",
        *map(str, panels),
        "--policy",
        str(policy),
        "--contributors",
        str(contributors),
    ]
    command += ["--as-of", AS_OF, "--out", str(out), "--decision", str(decision)]
    assert main(command) == 0
    done = decided(panels[0], out / panels[0].name, decision)
    found, texts = check(done, panels, policy, contributors)
    assert {"few ALT", "could be worked out", "few people of a class", "knows its own"} <= {*found}
    lines = [line for text in texts.values() for line in taken_apart(text)[1].items()]
    rules = {(group, rule) for group, line in lines for rule in line.rule}
    last = max(name[:2] for name in populations)
    assert any(
        rule == f"min_allele_count 11, asked for by country {last}, tier open" for _, rule in rules
    )
    assert ("VN_KHV", "populations_never_shown.VN_KHV true, asked for by tier open") in rules
    assert ("XX", "insider_protection true, asked for by tier open") in rules
    assert any(
        rule.startswith("insider_protection true, asked for by tier open; min") for _, rule in rules
    )
    assert any(rule == "min_genotype_count 3, asked for by tier open" for _, rule in rules)


@pytest.mark.parametrize(
    ("variant", "code", "words"),
    [
        ("chr21", 2, "contig:pos:ref:alt"),
        ("chr21:0:A:G", 2, "contig:pos:ref:alt"),
        ("chr21:1:A:G", 3, "no variant at this position"),
        ("21:1:A:G", 3, "no panel of contig 21"),
    ],
)
def test_a_variant_that_is_not_there_is_refused(by_commands, capsys, variant, code, words):
    panels = map(str, sorted((by_commands / "results/panel/merged").glob("*.zarr.zip")))
    policy = str(by_commands / "config/policies/demo.yaml")
    assert main(["gate", *panels, "--policy", policy, "--explain", variant]) == code
    assert words in capsys.readouterr().err
