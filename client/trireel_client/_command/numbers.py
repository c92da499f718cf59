# SPDX-License-Identifier: Apache-2.0
"""Options that hold several numbers."""

from typing import TypeVar

import typer

Number = TypeVar("Number", int, float)


def four_numbers(option: str, text: str | None, kind: type[Number]) -> tuple[Number, ...] | None:
    """Return the four numbers of an option, None if it is not set; raises typer.BadParameter."""
    if text is None:
        return None
    try:
        left, top, width, height = (kind(number) for number in text.split(","))
    except ValueError as error:
        whole = "whole " if kind is int else ""
        message = f"{text!r} is not four {whole}numbers: give left,top,width,height"
        raise typer.BadParameter(message, param_hint=option) from error
    return left, top, width, height
