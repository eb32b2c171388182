# SPDX-License-Identifier: Apache-2.0
"""`make matrix`: two tables, of Go versions and build modes, and of libraries and their versions.

run         prints both
builds      a cell of the first: the net/http server under one Go version in one build mode
libraries   the rows of the second: which version of a library, and which Go versions build it
loads       what a program of the second is asked, and what its spans must be
"""
