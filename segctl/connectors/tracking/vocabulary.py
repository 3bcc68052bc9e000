"""One name for each kind of event: Segment's e-commerce specification in snake case."""

from __future__ import annotations

from functools import lru_cache

from segctl.connectors.tracking.base import snake

ALIASES = {
    # Google Analytics 4
    "page_view": "page_viewed", "screen_view": "screen_viewed", "view_item": "product_viewed",
    "view_item_list": "product_list_viewed", "select_item": "product_clicked", "add_to_cart": "product_added",
    "remove_from_cart": "product_removed", "view_cart": "cart_viewed", "begin_checkout": "checkout_started",
    "add_shipping_info": "checkout_step_completed", "add_payment_info": "payment_info_entered",
    "purchase": "order_completed", "ecommerce_purchase": "order_completed", "refund": "order_refunded",
    "search": "products_searched", "view_search_results": "products_searched",
    "view_promotion": "promotion_viewed", "select_promotion": "promotion_clicked",
    "add_to_wishlist": "product_added_to_wishlist",
    # Snowplow's e-commerce actions
    "product_view": "product_viewed", "list_view": "product_list_viewed", "list_click": "product_clicked",
    "checkout_step": "checkout_step_completed", "transaction": "order_completed", "promo_view": "promotion_viewed",
    "promo_click": "promotion_clicked", "transaction_item": "order_item",
    # spellings seen in the wild
    "order_complete": "order_completed", "order_placed": "order_completed", "placed_order": "order_completed",
    "product_searched": "products_searched", "viewed_product": "product_viewed", "added_to_cart": "product_added",
    "started_checkout": "checkout_started", "page": "page_viewed", "pageview": "page_viewed",
    "screen": "screen_viewed",
}  # fmt: skip
"""Other tools' names, in snake case, for what the vocabulary has a name for."""

SINGLE = frozenset({
    "product_viewed", "product_added", "product_removed", "product_clicked", "product_added_to_wishlist",
    "product_shared", "product_reviewed",
})  # fmt: skip
"""Events about one product: what they know of it stands at the event itself."""

PROPERTIES: dict[str, dict[str, str]] = {
    "page_viewed": {"url": "text", "path": "text", "title": "text", "referrer": "text", "campaign": "text"},
    "screen_viewed": {"name": "text"},
    "products_searched": {"query": "text"},
    "product_list_viewed": {"list_id": "text", "category": "text"},
    "product_clicked": {"product_id": "text", "name": "text", "category": "text", "price": "money"},
    "product_viewed": {"product_id": "text", "name": "text", "category": "text", "price": "money"},
    "product_added": {
        "product_id": "text", "name": "text", "category": "text", "price": "money", "quantity": "integer",
    },
    "product_removed": {
        "product_id": "text", "name": "text", "category": "text", "price": "money", "quantity": "integer",
    },
    "cart_viewed": {"value": "money", "currency": "text"},
    "checkout_started": {"value": "money", "currency": "text"},
    "checkout_step_completed": {"step": "integer"},
    "payment_info_entered": {"payment_method": "text"},
    "order_completed": {"order_id": "text", "value": "money", "currency": "text", "coupon": "text"},
    "order_refunded": {"order_id": "text", "value": "money", "currency": "text"},
    "order_item": {
        "order_id": "text", "product_id": "text", "name": "text", "category": "text", "price": "money",
        "quantity": "integer",
    },
    "promotion_viewed": {"promotion_id": "text", "name": "text"},
    "promotion_clicked": {"promotion_id": "text", "name": "text"},
    "session": {
        "duration": "integer", "pages": "integer", "events": "integer", "entry_page": "text", "exit_page": "text",
    },
}  # fmt: skip
"""What a proposal declares for kinds of the vocabulary: property to short type."""


@lru_cache(maxsize=65_536)
def kind_of(name: str) -> str:
    """The vocabulary's name of an event; names it does not know come back in snake case."""
    own = snake(name)
    if own in ALIASES or own in PROPERTIES:
        return ALIASES.get(own, own)
    # `OrDeR Complete`: capitals that are no words.
    folded = snake(name.lower())
    return ALIASES.get(folded, folded if folded in PROPERTIES else own)
