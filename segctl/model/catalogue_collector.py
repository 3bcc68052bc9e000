"""Codes about the collector of `segctl listen`."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG640": Entry(
        "Listening needs one more package",
        "The optional package that reads HTTP is not installed.",
        "Run `pip install 'segctl[live]'`.",
    ),
    "SEG641": Entry(
        "Nothing to listen for",
        "No source of the project is of kind `collector`, so every request would be refused.",
        "Declare one: `kind: collector` with `tracking: segment`, or with `collector: {accepts: stripe, …}`.",
    ),
    "SEG642": Entry(
        "Settings of a collector that do not go together",
        "What a source accepts, how its senders prove who they are, and what its records are read as must fit.",
        "Webhooks have a `secret`, all others `keys`; `accepts` and `tracking` name the same protocol.",
        "kind: collector\ntracking: segment\ncollector:\n  accepts: stripe",
        "kind: collector\ntracking: segment\ncollector:\n  keys: {shop: {env: SHOP_WRITE_KEY}}",
    ),
    "SEG643": Entry(
        "Source that nobody can write to",
        "The source has no write key, declared or on record, and is not declared `open`.",
        "Make one: `segctl listen keys add shop --source web_live`.",
    ),
    "SEG644": Entry(
        "Write key that means two things",
        "The same key, or the same name of a key, stands for two sources; a request would belong to either.",
        "Give each source a key of its own.",
    ),
    "SEG645": Entry(
        "Address cannot be bound",
        "Another program listens there, the port needs other rights, or the address is not of this machine.",
        "Choose another one with `--bind`, such as `--bind 127.0.0.1:8088`.",
    ),
    "SEG646": Entry(
        "Listening to the network without encryption",
        "The collector speaks plain HTTP, so keys and people's data could be read on the way.",
        "Bind to 127.0.0.1 and put a proxy with TLS before it; `segctl help listen` has a configuration.",
    ),
    "SEG647": Entry(
        "No write key of that name",
        "The workspace of this environment has no such key on record; keys in declarations are changed there.",
        "`segctl listen keys ls` lists them.",
    ),
    "SEG648": Entry(
        "Name of a write key is taken",
        "Counts and accepted requests carry the name, so it stands for one key only.",
        "Choose another name, or remove the old key first.",
    ),
    "SEG649": Entry(
        "Source takes no write keys",
        "The source is not of kind `collector`, takes what anybody sends, or checks signatures instead of keys.",
        "Name a source with `kind: collector`; `segctl ls sources` lists them.",
    ),
    "SEG650": Entry(
        "Requests were set aside after a crash",
        "The end of the newest file was not written whole. No answer had been given to what stood there.",
        "Nothing has to be done; the bytes lie beside the file, with `.torn` at the end of its name.",
    ),
    "SEG651": Entry(
        "Accepted requests cannot be written",
        "The disk is full or failing. Senders are answered 503, so that they try again.",
        "Free some space; the collector goes on by itself.",
    ),
}
