# SPDX-License-Identifier: Apache-2.0
"""Why a file cannot be restored."""


class Damaged(Exception):
    """The file breaks a rule of docs/FORMAT.md."""


class Unsupported(Exception):
    """The file asks for what this decoder does not have."""
