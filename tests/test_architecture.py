"""A module imports only from its own layer's list and from lower layers."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "bayesem"
LAYERS = {
    "errors": 0, "arrays": 0, "seeds": 1,
    "answers_file": 1, "grammar": 1, "documents": 1, "studies": 1, "codebook": 1, "truth_file": 1, "correlations": 1,
    "exchange": 2, "data": 2, "incomplete": 2, "missing_codes": 2, "linear": 2, "arithmetic": 2, "families": 2,
    "model": 3, "propositions": 3, "inclusion": 3, "cutting": 3, "partable": 3, "priors": 3, "matrices": 3, "responses": 3,
    "outcomes": 4, "casewise": 4, "augmentation": 4, "variables": 4, "implied": 4, "casedraws": 4, "metric": 4, "constraints": 4, "chosen_priors": 4, "spec": 4, "specification": 4, "identification": 4, "priordraws": 4, "patterned": 4, "prior_mass": 4, "prior_density": 4,
    "kernels": 5, "graph_transforms": 6, "graph_data": 6, "graphs": 6, "sampling": 7, "posterior": 7, "observed": 7, "preparation": 7, "common_method": 7, "fitting": 7, "distribution": 7, "counts": 8,
    "decomposition": 8, "summaries": 8, "scoring": 8, "truth": 8, "simulation": 8, "study_truth": 8, "generator": 8, "storage": 8, "lavaan_columns": 8,
    "refitting": 8, "shares": 8, "prior_scaling": 8, "pointwise": 8, "goodness": 8, "measurement": 8, "screening": 8, "implications": 8, "comparison": 8,
    "conditional": 8, "questions": 8, "interventions": 8, "moderation": 8, "gcomputation": 8, "bundles": 8,
    "decision": 9, "rounding": 9, "claim_kinds": 9, "claim_counts": 9, "concerning": 9, "claims_evaluation": 9, "claim_evidence": 9, "verdict_text": 9,
    "verdicts": 9, "publications": 9,
    "campaigns": 10, "robustness": 10, "carrying": 10,
    "study_fits": 10, "study_models": 10, "studying": 10, "study_notes": 10, "study_page": 10, "fit_page": 10, "study_record": 10, "study_counts": 10, "study_count_page": 10, "templates": 10,
    "figures": 10, "diagrams": 10, "reporting": 10,
    "cli": 11, "__main__": 12, "__init__": 12,
}  # fmt: skip
FILES = sorted(ROOT.rglob("*.py"))


def _unit(path):
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def _imports(tree, *, lazy):
    """Names of bayesem modules imported; ``lazy`` also inside functions."""
    nodes = ast.walk(tree) if lazy else tree.body
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            if node.module and node.module.split(".")[0] == "bayesem":
                yield from (
                    [node.module]
                    if "." in node.module
                    else [f"bayesem.{a.name}" for a in node.names]
                )


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    unit = _unit(path)
    assert unit in LAYERS, f"{unit} has no layer"
    tree = ast.parse(path.read_text())
    for module in _imports(tree, lazy=False):
        other = module.split(".")[1]
        assert LAYERS[other] <= LAYERS[unit], f"{path.name} imports {module} from above"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_evaluation_of_text_and_no_pickle(path):
    tree = ast.parse(path.read_text())
    called = {
        n.func.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert not called & {"eval", "exec", "compile", "__import__", "hasattr"}
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert not imported & {"pickle", "cloudpickle", "marshal"}


def test_importing_the_package_is_cheap():
    """PyMC, ArviZ, numba and nutpie come on first use."""
    import subprocess
    import sys

    code = "import bayesem, sys; print([m for m in ('pymc','arviz','numba','nutpie','pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
