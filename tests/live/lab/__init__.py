# SPDX-License-Identifier: GPL-3.0-or-later
"""What the live tests are made of: the daemon, Pebble, a CA that misbehaves, CSRs, raw HTTP."""
