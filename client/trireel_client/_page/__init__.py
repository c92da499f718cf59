# SPDX-License-Identifier: Apache-2.0
"""An analysis as one page of HTML that needs no other file.

content   the values that the page shows
page      the page itself, made of page.html.j2, page.css and page.js
"""
