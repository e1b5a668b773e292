# SPDX-License-Identifier: GPL-3.0-or-later
"""The short form of contrib/soak.sh: 500 issuances, under the sanitizers."""
import pytest

from soak import Soak


@pytest.mark.parametrize("count,sighup", [(300, 0), (200, 0.4)], ids=["quiet", "SIGHUP"])
def test_soak(tmp_path, count, sighup):
    soak = Soak(tmp_path, count=count, clients=24, sighup=sighup, memory=False)
    try:
        wrong = soak.run()
    finally:
        soak.close()
    assert not wrong, "\n".join(wrong[:50])
