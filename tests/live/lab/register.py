# SPDX-License-Identifier: GPL-3.0-or-later
"""acme-register: to its end, or begun and left running."""
import os
import re
import subprocess

from .daemon import BINARY as DAEMON, REPORTS
from .util import Process, clean_env

BINARY = os.path.join(os.path.dirname(DAEMON), "acme-register")


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        report = REPORTS.search(err)
        assert not report, err[:6000]
        assert code >= 0, f"signal {-code}\n{err}"
        assert "PRIVATE KEY" not in out + err

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"

    def expect(self, code, *patterns):
        """The exit code; each pattern in what was said."""
        assert self.code == code, repr(self)
        for p in patterns:
            assert re.search(p, self.out + self.err, re.M), f"no {p!r} in {self!r}"
        return self

    @property
    def lines(self):
        return self.out.splitlines()

    def field(self, name):
        """Of what --show shows: the values."""
        block = re.search(rf"^{name}:(( .*\n)+)", self.out + "\n", re.M)
        assert block, repr(self)
        return [x.strip() for x in block[1].splitlines()]


def acme_register(conf, *args, timeout=60, stdin=subprocess.DEVNULL, env=None):
    p = subprocess.run([BINARY, *map(str, args), str(conf)], stdin=stdin, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=timeout, text=True, errors="replace",
                       env=env or clean_env())
    return Result(p.returncode, p.stdout, p.stderr)


def begin(conf, folder, *args):
    return Process("acme-register", [BINARY, *map(str, args), conf], folder, env=clean_env())
