# SPDX-License-Identifier: Apache-2.0
"""All findings by name, and the findings that a request names."""

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.caption import Caption
from trireel_backend.findings.finding import Finding
from trireel_backend.findings.quality import Quality
from trireel_backend.findings.scenes import Scenes
from trireel_backend.findings.tags import Tags
from trireel_backend.wire.request import Request
from trireel_schema.catalogue import DEFAULT_FINDINGS

FINDINGS: dict[str, type[Finding]] = {
    finding.name: finding for finding in (Tags, Caption, Scenes, Quality)
}


def findings_named(request: Request) -> tuple[str, ...]:
    """Return the findings that FIND names, each once; without FIND the default findings.

    Raises:
        InvalidInput: if FIND names an unknown finding.
    """
    names = request.texts("FIND")
    if names is None:
        return DEFAULT_FINDINGS
    for name in names:
        if name not in FINDINGS:
            raise InvalidInput(
                f"FIND names {name[:40]!r}: give some of {', '.join(sorted(FINDINGS))}"
            )
    return tuple(name for name in FINDINGS if name in names)


def check_options(request: Request) -> tuple[str, ...]:
    """Check the inputs of the findings that a request names, return them; raises InvalidInput."""
    names = findings_named(request)
    for name in names:
        FINDINGS[name].options(request)
    return names
