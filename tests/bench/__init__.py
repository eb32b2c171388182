# SPDX-License-Identifier: Apache-2.0
"""What tracing costs: see main.py."""
