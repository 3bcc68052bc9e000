"""Codes about sources that are fetched: services, credentials, pages, limits."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG370": Entry(
        "A secret stands in a declaration, or would travel in the clear",
        "Declarations are kept in version control and shown in messages, so no secret may stand in them; an address "
        "with `http://` would send it unprotected.",
        "Write where it stands: `{env: NAME}`, `{file: path}` or `{command: [program, …]}`; and `https://`. Change a "
        "key that was ever committed.",
        "rest: {auth: {bearer: sk_live_4eC39}}",
    ),
    "SEG371": Entry(
        "A secret cannot be read",
        "The variable is not set, the file is not there or empty, or the command failed. Its value is never shown.",
        "Set the variable, write the file, or run the command by hand to see what is wrong.",
        "rest: {auth: {bearer: {env: STRIPE_KEY}}}    # and no STRIPE_KEY in the environment",
    ),
    "SEG372": Entry(
        "A service does not answer",
        "Its name cannot be resolved, it takes no connection, or nothing came in time, several times in a row.",
        "Check `base_url`, the network and the proxy (`HTTPS_PROXY`), then ingest again: pages that came are kept.",
    ),
    "SEG373": Entry(
        "A service's certificate cannot be verified",
        "Whoever answered cannot prove to be the service, so nothing was sent to it. Verification cannot be switched "
        "off.",
        "For an authority of your own set `rest: {ca_bundle: FILE}` or `REQUESTS_CA_BUNDLE`; otherwise look who is in "
        "between.",
    ),
    "SEG374": Entry(
        "A service refuses the credentials",
        "The key is wrong, too old, or lacks a right that this request needs.",
        "Check the key with `segctl doctor --online SOURCE`; the service's own words stand in the message.",
    ),
    "SEG375": Entry(
        "A service does not accept the request",
        "Path, parameters or headers are not what it understands; the same request would be refused again.",
        "Correct them under `rest:`; the service's own words stand in the message.",
    ),
    "SEG376": Entry(
        "A service fails",
        "It answered with an error of its own, or that it is asked too often, until no try was left.",
        "Ingest again later: pages that came are kept. `limits: {retries: …}` allows more tries.",
    ),
    "SEG377": Entry(
        "A service asks for a long pause",
        "Its limit is used up, and the pause that it asks for is longer than this call waits.",
        "Ingest again after the pause: pages that came are kept. `limits: {longest_wait: 1 h}` waits longer, and "
        "`limits: {requests: 5, per: 1 s}` asks more slowly from the start.",
    ),
    "SEG378": Entry(
        "An answer leads to another host",
        "A redirect or the address of the next page names another host; credentials are sent to `base_url` alone.",
        "If the service has moved, correct `base_url`; otherwise ask who answers there.",
    ),
    "SEG379": Entry(
        "An answer has another form than declared",
        "It is no JSON, or no list of records stands at `records`.",
        "Look at an answer with `segctl doctor --online SOURCE`, and correct `records:` or the address.",
        "rest: {base_url: https://api.example.com, records: data.itmes}",
    ),
    "SEG380": Entry(
        "An answer holds an error",
        "The service said that all is well, and put an error into the body (`error:`, or `errors` as in GraphQL).",
        "The service's own words stand in the message; nothing of the page was taken.",
    ),
    "SEG381": Entry(
        "An answer has no end",
        "It broke off, dribbled for longer than allowed, was no whole JSON, or was larger than allowed.",
        "Ingest again: pages that came are kept. Smaller pages (`pages: {size: …}`) help large answers, "
        "`limits: {page: 10 min, page_mb: 512}` allows more.",
    ),
    "SEG382": Entry(
        "Pages do not move on",
        "The next page is one that came before, or equal pages come again and again: the service does not understand "
        "the parameter that asks for the next one.",
        "Compare `pages:` with what the service documents.",
        "pages: {style: page, param: pgae}",
    ),
    "SEG383": Entry(
        "There is no preset of that name",
        "Presets ship with segctl; `segctl help rest` lists them.",
        "Correct the name, or declare the service under `rest:` yourself.",
        "preset: hubspot_contact",
    ),
    "SEG384": Entry(
        "`--since` or `--limit` does not fit the source",
        "A source without a cursor cannot begin in the middle, and a part of a full picture would say that everybody "
        "else is gone.",
        "Leave the option out, declare a `cursor`, or make it `picture: log`.",
        "segctl ingest crm --since 2026-01-01",
    ),
    "SEG385": Entry(
        "no connector for this kind of source",
        "The kind is brought by another package, and none that is installed registers it under `segctl.connectors`.",
        "Install the package, or correct `kind`.",
    ),
    "SEG386": Entry(
        "A database cannot be reached",
        "The address is wrong, the server does not answer or refuses user and password, the file is not there, or the "
        "driver is not installed.",
        "Try it alone with `segctl doctor --online SOURCE`; `pip install 'segctl[sql]'` brings SQLAlchemy and the "
        "driver of PostgreSQL.",
        "database: {url: sqlite:///data/pso.db, table: sales}",
    ),
    "SEG387": Entry(
        "A database does not take the query",
        "The table or a column is not there, the user may not read it, the SQL is wrong, or the server broke off.",
        "Correct `table`, `query` or `cursor`; the database's own words stand in the message.",
        "database: {url: {env: DB_URL}, query: SELECT * FORM sales}",
    ),
    "SEG388": Entry(
        "A Singer tap cannot be run",
        "The program is not there, or it has no stream of that name.",
        "Give its path under `command`, or install it in an environment of its own; `segctl doctor --online SOURCE` "
        "names its streams.",
        "singer: {command: tap-jsnol, stream: users}",
    ),
    "SEG389": Entry(
        "A Singer tap fails",
        "It ended with an error, wrote nothing for too long, or wrote something that is no Singer message.",
        "Its last words stand in the message; run it by hand with the same settings. What came before is kept up to "
        "its last state, and the next ingest goes on there.",
    ),
}
