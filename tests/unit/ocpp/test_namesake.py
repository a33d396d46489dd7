import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_importing_beside_the_other_ocpp_distribution_fails_at_once_and_says_why(tmp_path):
    (tmp_path / "ocpp-2.1.0.dist-info").mkdir()
    script = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(tmp_path)!r}]; import ocpp"
    outcome = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert outcome.returncode != 0
    assert "cannot share an environment" in outcome.stderr
    assert "pip uninstall ocpp" in outcome.stderr
