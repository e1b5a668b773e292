# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the benchmark: each module has LETTER, TITLE and run(rig)."""
