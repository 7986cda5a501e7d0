#!/usr/bin/env python3
"""Counts an access log without Tallyhouse: what `tallyhouse import access-log` must arrive at.

    ci/access-log-check.py access.log                     page views and visitors of each day
    ci/access-log-check.py access.log --pages             page views of each page and day
    ci/access-log-check.py access.log --zone Europe/Paris

Written from the documented rules, not from the program's source; only the list of bots is shared
(src/ingest/data/bots.txt), and its rule, which that file states, is applied here anew. A visitor is a
pair of address and user agent on one day. The output is tab-separated and sorted.
"""
import argparse
import collections
import datetime
import gzip
import ipaddress
import pathlib
import re
import sys
import urllib.parse
import zoneinfo

LINE = re.compile(
    rb'(\S+) .*? \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] '
    rb'"((?:[^"\\]|\\.)*)" (\d{3}) \S+ "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"'
)
PAGE_SUFFIXES = (".html", ".htm", ".php", ".aspx", ".jsp")
UUID = re.compile(r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?|\{?[0-9a-fA-F]{32}\}?")
BOTS = pathlib.Path(__file__).parent.parent / "src/ingest/data/bots.txt"


class Bots:
    """The rule at the head of the list of bots."""

    def __init__(self, text):
        self.words, self.endings, self.beginnings, self.parts = set(), [], [], []
        self.innocent, self.headless = set(), set()
        for line in text.splitlines():
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("headless:"):
                self.headless.update(line.removeprefix("headless:").split())
            elif line.startswith("!"):
                self.innocent.add(line[1:])
            elif line.startswith("*"):
                self.endings.append(line[1:])
            elif line.endswith("*"):
                self.beginnings.append(line[:-1])
            elif line.isascii() and line.isalnum():
                self.words.add(line)
            else:
                self.parts.append(line.strip('"'))
        self.known = {}

    def is_bot(self, agent):
        if agent not in self.known:
            self.known[agent] = self.judge(agent.lower())
        return self.known[agent]

    def judge(self, agent):
        words = set(re.findall(r"[a-z0-9]+", agent))
        if words & self.headless or any(part in agent for part in self.parts):
            return True
        for word in words - self.innocent:
            if word in self.words or word.endswith(tuple(self.endings)) or word.startswith(tuple(self.beginnings)):
                return True
        return False


def unescape(field):
    """What Apache and nginx wrote with backslashes, as text; what is not UTF-8 is Latin-1."""
    plain = {b"n": b"\n", b"t": b"\t"}

    def one(match):
        code = match.group(1)
        if code[:1] == b"x" and len(code) == 3:
            return bytes([int(code[1:], 16)])
        return plain.get(code, code)

    field = re.sub(rb"\\(x[0-9a-fA-F]{2}|.)", one, field, flags=re.DOTALL)
    try:
        return field.decode("utf-8")
    except UnicodeDecodeError:
        return field.decode("latin-1")


def is_junk(agent):
    if not agent.isascii() or not 16 <= len(agent) <= 500 or UUID.fullmatch(agent):
        return True
    try:
        ipaddress.ip_address(agent)
        return True
    except ValueError:
        return False


def normal_path(path):
    """The path in the form the URL standard gives it."""
    path = path.translate({9: None, 10: None, 13: None}).replace("\\", "/")
    kept = []
    for segment in path.split("/")[1:]:
        dots = re.sub("%2e", ".", segment, flags=re.IGNORECASE)
        last = segment
        if dots == "..":
            kept = kept[:-1]
        if dots in (".", ".."):
            last = None
            continue
        kept.append(segment)
    if path.split("/")[1:] and last is None:
        kept.append("")
    safe = "!$%&'()*+,-./:;=@[]_|~"
    return urllib.parse.quote("/" + "/".join(kept), safe=safe)


def page_view(line, bots, zone):
    """(day, path, address, agent) of a page view, or the reason why the line is none."""
    match = LINE.match(line)
    if not match:
        return "malformed"
    address, time, request, status, _, agent = match.groups()
    try:
        when = datetime.datetime.strptime(time.decode(), "%d/%b/%Y:%H:%M:%S %z")
    except ValueError:
        return "malformed"
    words = request.split(b" ")
    if words[0] != b"GET" or len(words) < 2:
        return "not GET"
    if status not in (b"200", b"304"):
        return "status"
    target = b" ".join(words[1:-1] if words[-1].startswith(b"HTTP/") and len(words) > 2 else words[1:])
    target = unescape(target)
    if not target.startswith("/") and "://" in target:
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    path = re.split("[?#]", target, maxsplit=1)[0]
    last = path.rsplit("/", 1)[-1].lower()
    if "." in last and not last.endswith(PAGE_SUFFIXES):
        return "asset"
    agent = unescape(agent) if agent != b"-" else ""
    agent = agent.strip()
    if is_junk(agent):
        return "junk user agent"
    if bots.is_bot(agent):
        return "bot"
    return when.astimezone(zone).date(), normal_path(path), address, agent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=pathlib.Path)
    parser.add_argument("--pages", action="store_true", help="count each page of each day")
    parser.add_argument("--zone", default="UTC", help="the site's time zone")
    parser.add_argument("--bots", type=pathlib.Path, default=BOTS, help="the list of bots")
    args = parser.parse_args()
    bots, zone = Bots(args.bots.read_text()), zoneinfo.ZoneInfo(args.zone)
    with open(args.log, "rb") as file:
        opener = gzip.open if file.read(2) == b"\x1f\x8b" else open
    pages, visitors, skipped = collections.Counter(), collections.defaultdict(set), collections.Counter()
    with opener(args.log, "rb") as file:
        for line in file:
            view = page_view(line.rstrip(b"\r\n"), bots, zone) if line.strip() else "blank"
            if isinstance(view, str):
                skipped[view] += 1
                continue
            day, path, address, agent = view
            pages[day, path] += 1
            visitors[day].add((address, agent))
    if args.pages:
        for (day, path), views in sorted(pages.items()):
            print(day, path, views, sep="\t")
    else:
        for day in sorted(visitors):
            views = sum(n for (of, _), n in pages.items() if of == day)
            print(day, views, len(visitors[day]), sep="\t")
    for reason, count in sorted(skipped.items()):
        print(f"skipped: {reason}: {count}", file=sys.stderr)


if __name__ == "__main__":
    main()
