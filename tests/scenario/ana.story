# Ana fills in a return form on the shop's site, puts shoes in the basket and leaves. Three minutes later she rings.
# Whoever picks up knows all of it before the first word, and nobody asks for her order number. One thing is proposed at a
# time, and never again what she declined. What was left open in the call, nobody has to remember.

given source shop write_key=wk-shop region=ES
given switch pbx write_key=wk-switch region=ES
given agent marta
given agent luis

at 10:00:00 web identify user=u-ana email=ana@example.com phone=+34600111222 trait.first_name=Ana trait.last_name=Ruiz consent.Marketing=true
at 10:00:20 web page user=u-ana name="Returns"
at 10:01:00 web track user=u-ana event="Return Requested" order_id=1042 size=42 reason="arrived torn"
at 10:02:00 web track user=u-ana event="Product Added" product_id=shoes-7 name="Trail shoes" price=89.90 currency=EUR quantity=1

expect customer of phone=+34600111222 named "Ana Ruiz"
expect told return_reason "arrived torn" from web
expect told return_order "1042" from web
expect told shoe_size "42" from web

at 10:05:00 call ringing call=c-1 from=+34600111222 agent=marta

expect desk marta pops customer of user=u-ana assurance claimed within 2s
expect desk marta shows told return_reason "arrived torn"
expect desk marta shows told shoe_size "42"
expect desk marta shows timeline "Product Added"
expect desk marta shows timeline "Return Requested"
expect desk marta shows case return open
expect no desk luis pops customer of user=u-ana
expect desk marta suggests offer-exchange

at 10:05:05 call answered call=c-1 from=+34600111222 agent=marta
at 10:05:10 desk marta declines offer-exchange reason=wants_refund

expect no desk marta suggests offer-exchange
expect desk marta suggests finish-basket

at 10:05:20 desk luis opens customer of phone=+34600111222
at 10:05:30 desk marta fact kind=wants_refund value="refund, not a new pair"

expect desk luis shows told wants_refund "refund, not a new pair" within 1s

at 10:05:40 desk marta promise text="Refund by Friday" due=+3d

expect desk luis shows promised "Refund by Friday" within 1s

# The question was answered on the web four minutes ago; asking it again is counted.
at 10:05:50 desk marta asks return_order

expect already known return_order "1042"

at 10:06:00 desk marta snoozes finish-basket for=1d

expect no desk marta suggests finish-basket

at 10:08:00 call ended call=c-1 from=+34600111222 agent=marta

expect timeline "call.answered"
expect interaction call ended
expect no second customer of email=ana@example.com

# Nobody has to remember the basket: half an hour after she left it she is reminded, once.
at 10:33:00 nothing

expect timeline "basket-reminder" once within 30s

# The same again within three days is a repeat.
at 11:00:00 web track user=u-ana event="Product Added" product_id=shoes-7 name="Trail shoes" price=89.90 currency=EUR quantity=1
at 11:31:00 nothing

expect timeline "message.refused" once within 30s
