"""Codes of personalised content, recommendations and packaged use cases (SEG765–SEG789)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG765": Entry(
        "a template file of a form that is not read",
        "A file in `content/` is named NAME.LANGUAGE.html.j2 or NAME.LANGUAGE.txt.j2 (without LANGUAGE it serves every "
        "language; with `_` before its name it is only included). It may begin with a head between two lines `---`.",
        "Rename the file, close its head with `---`, and put texts with `{{` in quotes.",
        "---\nsubject: {{ first_name }}, hello\n---",
        '---\nsubject: "{{ first_name }}, hello"\n---',
    ),
    "SEG766": Entry(
        "settings of content that do not fit together",
        "A name is used twice, a template has no file, an offer leaves somebody without anything, or a language is no "
        "language tag.",
        "Follow the hint; `segctl help content` shows every key.",
        "offers:\n  spring:\n    - {segment: vip, title: 20 %}",
        "offers:\n  spring:\n    - {segment: vip, title: 20 %}\n    - {title: 10 %}",
    ),
    "SEG767": Entry(
        "content speaks of something that there is not",
        "Settings under `content/` name segments, traits, events, properties and purposes of the project.",
        "Correct the name; `segctl ls traits` and `segctl ls events` list what there is.",
        "trigger: product_aded",
        "trigger: product_added",
    ),
    "SEG768": Entry(
        "a template that cannot be read",
        "A tag is not closed, a filter is not known, or a file to include is not there. Templates are Jinja2 with few "
        "filters, and without what no message needs: attributes of objects, `safe`, `recursive` loops, names of files "
        "that are worked out.",
        "Correct the line that is named; `segctl help content` lists the filters.",
        "{% if tier == 'gold' %}…",
        "{% if tier == 'gold' %}…{% endif %}",
    ),
    "SEG769": Entry(
        "a name in a template that nobody gives",
        "Templates see the project's traits, `event`, `offers`, `recommendations`, `values`, `segments`, lists under "
        "`events`, and names under `given`.",
        "Correct the name, or declare it under `given` when whoever sends the message brings it along.",
        "{{ fist_name }}",
        "{{ first_name }}",
    ),
    "SEG770": Entry(
        "a sensitive trait in a message",
        "Traits declared `sensitive: true` are special categories of personal data. A message shows them only when its "
        "settings say so.",
        "Take it out, or write `allow: [TRAIT]` in the settings of the template.",
    ),
    "SEG771": Entry(
        "a name that is worked out where it must be written",
        "What a template needs is known before it is filled. So segments, offers, recommendations and shared values "
        "are asked for by their names: `'vip' in segments`, `offers.spring.title`.",
        "Write the name out.",
        "{% for one in segments %}",
        "{% if 'vip' in segments %}",
    ),
    "SEG772": Entry(
        "a language that is only half there",
        "A template has files in several languages, and one of them lacks a part, a subject or a text that another "
        "has. People of that language get another language, or a mail without a subject.",
        "Add what is missing, or take the language away.",
    ),
    "SEG773": Entry(
        "an HTML mail that not everybody can read",
        "Screen readers need `lang`, `alt`, a title, headings in order, links that say where they lead, and "
        '`role="presentation"` on tables that only lay out; eyes need contrast; Gmail cuts mails above 102 kB; no mail '
        "program runs scripts.",
        "Follow the hint at the place.",
        '<img src="logo.png">',
        '<img src="logo.png" alt="Our shop">',
    ),
    "SEG774": Entry(
        "marketing without a way out",
        "Whoever gets marketing must be able to end it from the message itself (GDPR article 7(3), § 7 UWG, CAN-SPAM). "
        "Templates with a purpose other than a contract need `{{ unsubscribe_url }}` in every part.",
        "Declare `unsubscribe_url` in a file of `content/`, and link to `{{ unsubscribe_url }}`.",
    ),
    "SEG775": Entry(
        "a person's value where it could do harm",
        "People choose their own names. At the beginning of a link, in an attribute without quotes, in a style or in a "
        "comment, a value can become something else than text.",
        "Put attributes in quotes, begin links with your own address, and use `| urlencode` in links.",
        '<a href="{{ website }}">',
        '<a href="https://shop.example/?q={{ website | urlencode }}">',
    ),
    "SEG776": Entry(
        "a value that a person does not have",
        "A message shows something that is not known of this person. Nothing is sent with a gap in it.",
        "Give a default: `{{ first_name | default('there') }}`, or `defaults` in the settings of the template. "
        "`segctl content lint --audience SEGMENT` finds everybody it concerns.",
    ),
    "SEG777": Entry(
        "a template that cannot be filled",
        "It does something with a value that cannot be done, or more than a message needs: too many steps, too much "
        "text, too long.",
        "Look at the line that is named; `segctl content preview NAME --for ID` shows it for one person.",
        "{{ 'a' * 1000000000 }}",
    ),
    "SEG778": Entry(
        "a message for nobody",
        "The person is not among the profiles at that time, or the template is for another channel.",
        "`segctl profile ID` shows what is known of somebody; `segctl ls content` lists templates with their channels.",
    ),
    "SEG779": Entry(
        "recommendations that cannot be computed",
        "The file of products that are not to be had cannot be read, or there is no such list.",
        "Correct `out_of_stock`: a text file with one product on each line, relative to the project.",
    ),
    "SEG781": Entry(
        "a subject that will not be read",
        "Mail programs show about 60 characters of a subject, telephones about 35.",
        "Say the most important first, and the rest in the preheader.",
    ),
    "SEG782": Entry(
        "no such use case",
        "`segctl usecase ls` lists the packages.",
        "Correct the name.",
    ),
    "SEG783": Entry(
        "a use case that needs something the project does not declare",
        "A package is written for the events and traits of the sample shop. Where a project calls them otherwise, it "
        "is told which of its own is meant.",
        "`segctl usecase add NAME --use product_added=cart_add`, or declare what is missing in segctl.yaml.",
    ),
    "SEG784": Entry(
        "a file of a use case is there already",
        "`usecase add` never overwrites: a file with other content stays as it is.",
        "Rename or remove the file, or keep it: `--keep` adds the others only.",
    ),
}
