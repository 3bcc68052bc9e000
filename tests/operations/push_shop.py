"""A project on disk with two people and two folders of files, made once and copied for each test."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from end_to_end.program import ok

from segctl.operations.consent.record import Said, record
from segctl.operations.push.push import Asked, Pushed, push
from segctl.operations.push.work import Part
from segctl.operations.session import open_session

PROJECT = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\n"
    "traits: {country: text, email: {type: text, personal: true}, phone: {type: text, personal: true}}\n"
    "identity: {country: DE}\n"
    "purposes: {service: {title: Service, basis: contract, channels: [email]},\n"
    "  news: {title: News, basis: consent, channels: [email]}}\n"
    "contact_points: {email: email, phone: phone}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\n"
    "profiles: {country: land, email: mail, phone: tel}\n",
    "crm.csv": "nr,land,mail,tel\n1,DE,anna@example.org,+491701234561\n2,DE,bert@example.org,+491701234562\n",
    "segments/german.yaml": "segment: german\npurpose: service\nsend_to: [a_files, b_files]\n"
    "where: {trait: country, equals: DE}\n",
}


@dataclass
class Shop:
    """A project on disk."""

    folder: Path

    def destination(self, name: str, more: str = "", *, identify: str = "{email: email}", kind: str = "file") -> None:
        path = self.folder / f"destinations/{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"destination: {name}\nkind: {kind}\npurposes: [service]\nchannel: email\nidentify: {identify}\n{more}",
            "utf-8",
        )

    def send_to(self, *names: str) -> None:
        """The segment goes to these alone."""
        text = PROJECT["segments/german.yaml"].replace("a_files, b_files", ", ".join(names))
        (self.folder / "segments/german.yaml").write_text(text, "utf-8")

    def push(
        self,
        *,
        withdraws: str | None = None,
        same_place: tuple[str, ...] = (),
        retries: bool = False,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Pushed:
        """A push; somebody withdraws, or something else happens, after it was planned."""
        now = datetime.now(UTC)
        with open_session(self.folder) as session:

            def agree(_parts: Sequence[Part]) -> None:
                meanwhile()
                if withdraws is not None:
                    record(session, withdraws, Said("withdraw"), now=datetime.now(UTC))

            return push(session, Asked(same_place=same_place, retries=retries), now=now, agree=agree)

    def says(self, who: str, said: Said) -> None:
        with open_session(self.folder) as session:
            record(session, who, said, now=datetime.now(UTC))

    def there(self, name: str, segment: str = "german") -> str:
        files = (self.folder / "out" / name / segment).glob("*.csv")
        return max(files, key=lambda file: file.stat().st_mtime_ns).read_text("utf-8")

    def people(self, count: int) -> None:
        """So many more people in the segment."""
        rows = "".join(f"{n},DE,p{n}@example.org,\n" for n in range(10, 10 + count))
        (self.folder / "crm.csv").write_text(PROJECT["crm.csv"] + rows, "utf-8")
        ok("ingest", cwd=self.folder)
        ok("apply", cwd=self.folder)


def copied(folder: Path) -> Shop:
    """A shop of one's own, in an empty folder."""
    shutil.copytree(_template(), folder, dirs_exist_ok=True)
    return Shop(folder)


@cache
def _template() -> Path:
    made = Shop(Path(mkdtemp(prefix="segctl-shop-")))
    atexit.register(shutil.rmtree, made.folder, ignore_errors=True)
    for name, text in PROJECT.items():
        (made.folder / name).parent.mkdir(exist_ok=True)
        (made.folder / name).write_text(text, "utf-8")
    for name in ("a_files", "b_files"):
        made.destination(name)
    ok("ingest", cwd=made.folder)
    ok("apply", cwd=made.folder)
    return made.folder
