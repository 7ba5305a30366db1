"""Holds bodies of BatchMeterUsage against the model of the service that botocore publishes.

    validate.py FILE

FILE has a body a line, as JSON, as `metering-emulator --requests FILE` writes it. A line is printed for everything that
is wrong, with the number of the body, and one at the end with the counts. The exit status is 1 if anything is wrong.

botocore's own validator knows members, types, `min` and what is required. `max` and `pattern`, which it leaves to the
service, are checked here, and so is that no object names a member twice.
"""

import json
import math
import re
import sys

import botocore.session
from botocore.validate import ParamValidator

SERVICE, OPERATION = "meteringmarketplace", "BatchMeterUsage"


def input_shape():
    """The model's shape of the operation's input."""
    return botocore.session.Session().get_service_model(SERVICE).operation_model(OPERATION).input_shape


def once(pairs):
    """An object, unless it names a member twice."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the member {name} is there twice")
    return dict(pairs)


def finite(text):
    """A number that is one to others than Python too."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text} is too large")
    return number


def beyond(shape, value, place):
    """What breaks a `max` or a `pattern`, at any depth. Other types than the shape's are botocore's to find."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            if name in value:
                yield from beyond(member, value[name], f"{place}.{name}")
    elif kind == "list" and isinstance(value, list):
        yield from above(shape, len(value), place, "members")
        for index, member in enumerate(value):
            yield from beyond(shape.member, member, f"{place}[{index}]")
    elif kind == "string" and isinstance(value, str):
        yield from above(shape, len(value), place, "characters")
        pattern = shape.metadata.get("pattern")
        if pattern is not None and re.fullmatch(pattern, value) is None:
            yield f"{place}: {value!r} does not fit {pattern}"
    elif kind == "integer" and isinstance(value, bool):
        # An integer to Python, but not on the wire.
        yield f"{place}: {value!r} is not an integer"
    elif kind == "integer" and isinstance(value, int):
        yield from above(shape, value, place, "as value")
    elif kind == "timestamp" and (isinstance(value, bool) or not isinstance(value, (int, float))):
        # botocore takes a text and would send a number; what is on the wire has to be one.
        yield f"{place}: {value!r} is not a number of seconds"


def above(shape, size, place, of):
    """What is above a shape's `max`."""
    most = shape.metadata.get("max")
    if most is not None and size > most:
        yield f"{place}: {size} {of}, at most {most}"


def problems(shape, line):
    """All that is wrong with a body."""
    try:
        body = json.loads(line, object_pairs_hook=once, parse_float=finite)
    except ValueError as error:
        return [f"not JSON: {error}"]
    if not isinstance(body, dict):
        return ["not an object"]
    try:
        report = ParamValidator().validate(body, shape)
        found = report.generate_report().splitlines() if report.has_errors() else []
    except RuntimeError as error:
        # What botocore raises at a time beyond the calendar.
        found = [str(error)]
    return found + list(beyond(shape, body, "request"))


def main(path):
    shape, bodies, wrong = input_shape(), 0, 0
    with open(path, encoding="utf-8") as lines:
        for bodies, line in enumerate(lines, 1):
            found = problems(shape, line)
            wrong += bool(found)
            for problem in found:
                print(f"{bodies}: {problem}")
    print(f"{bodies} bodies, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
