"""A visitor's first quarter of an hour: the demo as it is served, its banner's lines, and the "Start here" steps in a browser."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from support.browser import chromium

COMMAND = Path(sys.executable).with_name("modelward")
NOTE = "The disparity by race is known; every refusal is read by a person."


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """`modelward demo` as a visitor starts it: the process and what it printed."""
    home = tmp_path_factory.mktemp("visit") / "home"
    environment = {**os.environ, "MODELWARD_HOME": str(home), "MODELWARD_PORT": "0"}
    with (home.parent / "said").open("w") as said:
        process = subprocess.Popen(
            [str(COMMAND), "demo"], env=environment, stdout=subprocess.PIPE, stderr=said, text=True
        )
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line)
        if "starts over" in line:
            break
    yield process, "".join(lines)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    if process.stdout:
        process.stdout.close()


def _line(banner, title):
    found = re.search(rf"^  {title}\s+(.+)$", banner, re.MULTILINE)
    assert found, f"the banner has no line {title}"
    return found[1]


@pytest.mark.parametrize(
    ("title", "shows"),
    [("Python", "models=4"), ("CLI", "flight-delay"), ("boto3", "ModelCardArn"), ("REST", "mortgage")],
)
def test_each_line_of_the_banner_works_as_it_is_printed(served, tmp_path, title, shows):
    _, banner = served

    # A new shell somewhere else, as a visitor opens one.
    done = subprocess.run(
        ["/bin/sh", "-c", _line(banner, title)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert shows in done.stdout


@pytest.mark.browser
def test_the_steps_of_start_here_lead_from_the_alert_to_the_proof(served):
    _, banner = served
    with chromium() as browser:
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        page.goto(_line(banner, "Sign in"))
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        start = page.url

        page.get_by_role("link", name="An alert is open").click()
        expect(page.get_by_text("flight-delay-inputs").first).to_be_visible()
        page.goto(start)
        page.get_by_role("link", name="Find its cause").click()
        expect(page.get_by_text("temperature_f").first).to_be_visible()
        page.goto(start)
        page.get_by_role("link", name="Read the card").click()
        expect(page.get_by_text("Intended uses").first).to_be_visible()
        page.goto(start)
        page.get_by_role("link", name="Approve or reject").click()
        expect(page.get_by_role("heading", name="mortgage-approval@2")).to_be_visible()
        page.get_by_label(re.compile("note|reason|justif", re.IGNORECASE)).first.fill(NOTE)
        page.get_by_role("button", name=re.compile("approve", re.IGNORECASE)).first.click()
        expect(page.get_by_text("Approved").first).to_be_visible()
        expect(page.get_by_text(NOTE).first).to_be_visible()
        page.goto(start)
        page.get_by_role("link", name="Check the evidence").click()
        page.get_by_role("button", name=re.compile("verify", re.IGNORECASE)).first.click()
        expect(page.get_by_text(re.compile("whole|holds|verified", re.IGNORECASE)).first).to_be_visible()
        expect(page.get_by_text("A person decided a review").first).to_be_visible()
        assert complaints == []


def test_the_demo_ends_in_order_when_it_is_told_to(served):
    process, banner = served
    home = Path(shlex.split(_line(banner, "CLI"))[0].removeprefix("MODELWARD_HOME="))

    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 0
    assert not (home / "server.json").exists()
    assert not (home / "modelward.db-wal").exists()
    last_words = (home.parent / "said").read_text()
    assert "leaked" not in last_words
    assert "Traceback" not in last_words
