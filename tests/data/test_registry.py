"""The registry: every fact is stated, and is that of the published files."""

from satlib.data.registry import REGISTRY, table


def test_every_entry_states_its_facts():
    assert list(REGISTRY) == [
        "satsim",
        "movielens",
        "uss-redial",
        "uss-ccpe",
        "uss-sgd",
        "usda-redial",
        "usda-sgd",
        "ab-redial",
        "amazon-reviews-2023",
        "csv",
    ]
    for name, corpus in REGISTRY.items():
        assert corpus.name == name and all(
            (corpus.title, corpus.origin, corpus.licence, corpus.citation, corpus.task)
        )
        assert corpus.scale == ((0.5, 5.0) if name == "movielens" else (1.0, 5.0))
    published = [
        file for name, c in REGISTRY.items() if name not in ("satsim", "csv") for file in c.files
    ]
    assert (
        all(len(file.sha256) == 64 and file.size and file.url for file in published)
        and len(set(published)) == 13
    )
    assert [row["name"] for row in table()] == list(REGISTRY)


def test_checksums_and_sizes_are_those_of_the_published_files(real_data):
    lines = map(str.split, (real_data / "SHA256SUMS").read_text().splitlines())
    sums = {path.removeprefix("./"): digest for digest, path in lines}
    for corpus in REGISTRY.values():
        for file in corpus.files:
            if file.sha256:
                assert (
                    sums[file.path] == file.sha256
                    and (real_data / file.path).stat().st_size == file.size
                )
