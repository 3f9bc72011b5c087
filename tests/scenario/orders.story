# Systems repeat themselves, send late, and contradict themselves. An order counts once; what cannot be right is put aside
# with its reason, and nothing is lost silently.

given source shop write_key=wk-shop region=ES

at 08:00:00 web track id=m-1 user=u-dora event="Order Completed" order_id=o-1 total=89.90 currency=EUR

expect orders 1 total 89.90 EUR of user=u-dora
expect told last_order "o-1"

# The SDK heard no answer and tries again: the same message.
at 08:00:30 web track id=m-1 user=u-dora event="Order Completed" order_id=o-1 total=89.90 currency=EUR happened=-30s

expect orders 1 total 89.90 EUR
expect timeline "Order Completed" once

# The shop's own system tells of the same order by its own way.
at 08:05:00 system order.placed id=s-1 user=u-dora order_id=o-1 total=89.90 currency=EUR

expect orders 1 total 89.90 EUR

at 08:06:00 system order.placed id=s-2 user=u-dora order_id=o-2 total=10.10 currency=EUR

expect orders 2 total 100.00 EUR

# The same message with another content is not believed.
at 08:07:00 web track id=m-1 user=u-dora event="Order Completed" order_id=o-9 total=1.00 currency=EUR

expect refused event_id_conflict
expect orders 2 total 100.00 EUR

# A telephone that was off for six days still tells its story; after more than a week it is too late.
at 08:10:00 web track user=u-dora event="Return Requested" order_id=o-1 reason="too small" happened=-6d

expect told return_reason "too small"

at 08:11:00 web track user=u-dora event="Return Requested" order_id=o-2 reason="too late" happened=-8d

expect dead letter event_too_late
expect no told return_reason "too late"

# What is nobody's is refused where it comes in.
at 08:12:00 web page user=undefined name="Home"

expect refused identifier_blocked
