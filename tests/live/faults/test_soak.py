# SPDX-License-Identifier: GPL-3.0-or-later
"""The short form of contrib/soak.sh: 500 issuances, under the sanitizers."""
import pytest

from soak import Soak


@pytest.mark.parametrize("sighup", [0, 1], ids=["quiet", "SIGHUP"])
def test_soak(tmp_path, sighup):
    soak = Soak(tmp_path, count=500, clients=24, sighup=sighup, memory=False)
    try:
        wrong = soak.run()
    finally:
        soak.close()
    assert not wrong, "\n".join(wrong[:50])
