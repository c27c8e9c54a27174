# SPDX-License-Identifier: Apache-2.0
"""`python -m llma.tune` makes an adapter: a model for your kind of text.

It needs PyTorch and other packages, which compressing does not:
`pip install llma[tune]`.
"""
