# The tablet in the shop. Bea signs in on it, then Carlos. The tablet is not a person: nobody is merged, what each of them
# did stays with each, and the agent is told that the two have met.

given source shop write_key=wk-shop region=ES

at 11:00:00 web identify anonymous=tablet-1 user=u-bea email=bea@example.com trait.first_name=Bea
at 11:01:00 web track anonymous=tablet-1 user=u-bea event="Product Added" product_id=boots-1 name="Boots"
at 11:20:00 web identify anonymous=tablet-1 user=u-carlos email=carlos@example.com trait.first_name=Carlos

expect customer of user=u-bea named "Bea"
expect suggestion weak_identifier_shared with user=u-carlos of user=u-bea
expect suggestion weak_identifier_shared with user=u-bea of user=u-carlos
expect timeline "Product Added" of user=u-bea
expect no timeline "Product Added" of user=u-carlos

# Who browses on it without signing in is neither of them.
at 11:40:00 web page anonymous=tablet-1 name="Sale"

expect no timeline "web.page" of user=u-bea
expect no timeline "web.page" of user=u-carlos

# Two accounts with one address: two persons until somebody says otherwise.
at 12:00:00 web identify user=u-bea-2 email=bea@example.com

expect suggestion strong_conflict with user=u-bea of user=u-bea-2
expect no told basket_item "Boots"
expect told basket_item "Boots" of user=u-bea
