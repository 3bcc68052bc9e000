"""Recommendations of a real workspace: what counts, what is left out, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from operations.content_shop import NOW, ContentShop, made

from segctl.model.errors import DataError, SegctlError, UsageError
from segctl.operations.content.content import render
from segctl.operations.content.lint import template_findings
from segctl.operations.people import find_person
from segctl.operations.recommendations import lists_for, stock_findings

BOUGHT = "bought: {event: bought, product: sku, basket: order}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ContentShop:
    return made(tmp_path_factory.mktemp("recommended"))


def listed(shop: ContentShop, who: str, more: str = "", *, as_of: datetime = NOW) -> list[tuple[str, str]]:
    shop.write(x__yaml=f"recommendations: {{r: {{{BOUGHT}, at_most: 5{more}}}}}\n")
    with shop.session() as session:
        owner, _ = find_person(session.workspace, who)
        found = lists_for(session, "r", [owner.subject], as_of=as_of)[owner.subject]
    return [(one["product_id"], one["reason"]) for one in found]


def test_what_was_bought_together_comes_before_what_is_popular(shop: ContentShop) -> None:
    # 1 has A, which stood with B in o2 and with C and D in o3; the smaller basket says more.
    assert listed(shop, "1") == [("B", "bought_together"), ("C", "bought_together"), ("D", "bought_together")]
    assert listed(shop, "4") == [("A", "popular"), ("D", "popular"), ("C", "popular"), ("B", "popular")]


def test_what_was_viewed_and_not_bought_comes_first(shop: ContentShop) -> None:
    found = listed(shop, "5", ", viewed: {event: viewed, product: sku}")

    assert found[0] == ("C", "viewed")
    assert ("D", "popular") not in found


def test_what_was_bought_may_come_again_where_that_is_said(shop: ContentShop) -> None:
    assert ("A", "popular") in listed(shop, "1", ", exclude_bought: false")


def test_what_is_not_to_be_had_is_left_out(shop: ContentShop) -> None:
    (shop.folder / "out.csv").write_text("\ufeffB\n\nC;gone\n", "utf-8")

    assert listed(shop, "1", ", out_of_stock: out.csv") == [("D", "bought_together")]
    with pytest.raises(DataError, match=r"`gone\.csv`"):
        listed(shop, "1", ", out_of_stock: gone.csv")


@pytest.mark.parametrize(
    "text",
    [
        "sku\tname\nB\tBook\nC\tComb\n",
        "name\tsku\nBook\tB\nComb\tC\n",
        "Book,B,3\nComb,C,0\n",
        'title;SKU\n"Book; old";B\nComb;"C"\n',
        "B\r\nC\r\n",
    ],
)
def test_products_that_are_out_of_stock_may_stand_in_any_column(shop: ContentShop, text: str) -> None:
    (shop.folder / "out.csv").write_text(text, "utf-8")

    assert listed(shop, "1", ", out_of_stock: out.csv") == [("D", "bought_together")]
    assert warnings(shop) == []


@pytest.mark.parametrize(("text", "codes"), [("b\nc\n", ["SEG779"]), ("", []), ("sku,name\n9,Book\n", ["SEG779"])])
def test_a_file_that_leaves_nothing_out_is_told(shop: ContentShop, text: str, codes: list[str]) -> None:
    (shop.folder / "out.csv").write_text(text, "utf-8")

    assert len(listed(shop, "1", ", out_of_stock: out.csv")) == 3
    assert warnings(shop) == codes


def warnings(shop: ContentShop) -> list[str]:
    with shop.session() as session:
        return [one.code for one in stock_findings(session, "r", as_of=NOW)]


def test_a_file_that_is_not_there_is_found_before_anybody_asks(shop: ContentShop) -> None:
    shop.write(x__yaml=f"recommendations: {{r: {{{BOUGHT}, out_of_stock: gone.csv}}}}\n")
    with shop.session() as session:
        assert [one.code for one in template_findings(session.definitions)] == ["SEG779"]


def test_a_category_can_be_shut(shop: ContentShop) -> None:
    # The order stands in for a category here.
    found = listed(shop, "4", ", category: order, exclude_categories: [o4, o1]")

    assert [product for product, _ in found] == ["C", "B"]


def test_a_product_whose_category_is_told_today_or_never_does_not_slip_through(shop: ContentShop) -> None:
    viewed, at = ", viewed: {event: viewed, product: sku}", NOW.replace(day=14)
    shut = f"{viewed}, category: price, exclude_categories: ['31.00', '31', '31.0']"

    # C cost 30 until it was viewed this morning.
    assert listed(shop, "5", shut, as_of=at - timedelta(hours=3))[0] == ("C", "bought_together")
    assert "C" not in [product for product, _ in listed(shop, "5", shut, as_of=at)]
    # Nobody has ordered C within five days, so no order is known of it.
    assert listed(shop, "5", f"{viewed}, window_days: 5", as_of=at)[0] == ("C", "viewed")
    unknown = f"{viewed}, window_days: 5, category: order, exclude_categories: [o9]"
    assert [product for product, _ in listed(shop, "5", unknown, as_of=at)] == ["A"]


def test_a_field_is_what_the_newest_event_says_be_it_a_view_or_a_purchase(shop: ContentShop) -> None:
    roles = "bought: {event: viewed, product: sku}, viewed: {event: bought, product: sku}"
    shop.write(x__yaml=f"recommendations: {{r: {{{roles}, at_most: 1, fields: [price]}}}}\n")
    with shop.session() as session:
        owner, _ = find_person(session.workspace, "4")
        found = lists_for(session, "r", [owner.subject], as_of=NOW)[owner.subject]

    # C was bought for 30, and seen for 31 afterwards.
    assert [(one["product_id"], float(one["price"])) for one in found] == [("C", 31.0)]


def test_shut_categories_need_to_be_known(shop: ContentShop) -> None:
    with pytest.raises(SegctlError) as refused:
        listed(shop, "4", ", exclude_categories: [a]")

    assert [(one.code, "shuts categories" in one.message) for one in refused.value.diagnostics] == [("SEG766", True)]


def test_nothing_of_the_future_is_known(shop: ContentShop) -> None:
    assert listed(shop, "4", as_of=NOW - timedelta(days=13)) == [("A", "popular"), ("B", "popular")]
    assert listed(shop, "4", as_of=NOW - timedelta(days=400)) == []


def test_templates_see_products_with_their_fields(shop: ContentShop) -> None:
    shop.write(
        x__yaml=f"recommendations: {{r: {{{BOUGHT}, at_most: 1, fields: [price]}}}}\n",
        m__html='---\nsubject: "s"\n---\n{% for one in recommendations.r %}{{ one.product_id }} '
        "{{ one.price | money }} {{ one.because }}{% endfor %}",
    )
    with shop.session() as session:
        owner, _ = find_person(session.workspace, "1")

        assert render(session, "m", owner.subject, as_of=NOW).html == "B 20,00\u00a0€ A"
        with pytest.raises(UsageError, match="no recommendation `q`"):
            lists_for(session, "q", [owner.subject], as_of=NOW)
