import pytest

from domain.skills.spellings import spellings


@pytest.mark.parametrize(
    ("label", "included", "excluded"),
    [
        ("Node.js", {"node.js", "node js", "nodejs"}, set()),
        ("CI/CD", {"ci/cd", "ci cd", "cicd", "ci / cd"}, set()),
        ("REST APIs", {"rest apis", "rest api", "restapis"}, set()),
        ("relational databases", {"relational database"}, set()),
        ("data warehouse", {"data warehouses", "datawarehouse"}, set()),
        ("computer systems analysis", {"computer systems analysis"}, {"computer systems analysi"}),
        ("Microsoft Teams", {"microsoft teams"}, {"microsoft team"}),
        ("excel", {"excel"}, {"excels"}),
        ("data visualization", {"data visualisation"}, set()),
        ("research and development", {"research & development"}, set()),
        ("case study", {"case studies"}, set()),
        ("בסיסי נתונים", {"בסיסי נתונים", "בסיסי הנתונים"}, set()),
        ("C++", {"c++"}, {"c"}),
    ],
)
def test_spellings(label: str, included: set[str], excluded: set[str]) -> None:
    found = spellings(label)
    assert included <= found
    assert not excluded & found
