"""CEAP-360VR's JSON, other than the owners write it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.faults.fuzz.owners import source
from tests.faults.table.forms import Change, add

CEAP = source("ceap", "frame", "3_AnnotationData/Frame/P1_Annotation_FrameData.json", (), 2, 2.0)


def document(change: Callable[[Any], Any]) -> Change:
    """Of a JSON file."""
    return lambda b: json.dumps(change(json.loads(b))).encode()


TOP, PER = "ContinuousAnnotation_FrameData", "Video_Annotation_FrameData"


def clips(change: Callable[[list[Any]], Any]) -> Change:
    """Of the list of a person's clips."""
    return document(lambda d: {TOP: [d[TOP][0] | {PER: change(d[TOP][0][PER])}]})


add(
    "CEAP-360VR",
    CEAP,
    {
        "byte order mark": lambda b: b"\xef\xbb\xbf" + b,
        "CRLF and tabs": lambda b: b.replace(b", ", b",\r\n\t"),
        "clips in another order": clips(lambda c: c[::-1]),
        "a key more": document(lambda d: d | {"more": 1}),
    },
)
add(
    "CEAP-360VR",
    CEAP,
    {
        "a clip less": clips(lambda c: c[:1]),
        "another person's": document(lambda d: {TOP: [d[TOP][0] | {"ParticipantID": "P2"}]}),
        "nested 100,000 deep": lambda b: b"[" * 100_000,
        "NaN for ratings": lambda b: b.replace(b'"Valence": ', b'"Valence": NaN, "x": '),
        "text for ratings": lambda b: b.replace(b'"Valence": ', b'"Valence": "x", "x": '),
        "true for ratings": lambda b: b.replace(b'"Valence": ', b'"Valence": true, "x": '),
        "times in ms": clips(
            lambda c: [
                v
                | {
                    "TimeStamp_Valence_Arousal": [
                        s | {"TimeStamp": 1e6 + 1000 * s["TimeStamp"]} for s in v["TimeStamp_Valence_Arousal"]
                    ]
                }
                for v in c
            ]
        ),
        "cut": lambda b: b[: len(b) // 2],
        "empty": lambda b: b"",
        "a list": lambda b: b"[]",
        "null": lambda b: b"null",
    },
    must_refuse=True,
)
