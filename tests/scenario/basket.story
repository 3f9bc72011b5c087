# Ana leaves shoes in the basket. Half an hour later she is reminded, once. Beto has complained, Carmen bought, Dora wants no
# mail, Emil never said that he wants any: none of them gets one.

given source shop write_key=wk-shop region=ES
given switch pbx write_key=wk-switch region=ES
given agent marta

at 10:00:00 web identify user=u-ana email=ana@example.com trait.first_name=Ana consent.Marketing=true
at 10:00:00 web identify user=u-beto email=beto@example.com consent.Marketing=true
at 10:00:00 web identify user=u-carmen email=carmen@example.com consent.Marketing=true
at 10:00:00 web identify user=u-dora email=dora@example.com consent.Marketing=false
at 10:00:00 web identify user=u-emil email=emil@example.com
at 10:02:00 web track user=u-ana event="Product Added" product_id=shoes-7 name="Trail shoes" price=89.90 currency=EUR
at 10:02:00 web track user=u-beto event="Product Added" product_id=shoes-7 name="Trail shoes" price=89.90 currency=EUR
at 10:02:00 web track user=u-carmen event="Product Added" product_id=shoes-7 name="Trail shoes" price=89.90 currency=EUR
at 10:02:00 web track user=u-dora event="Product Added" product_id=shoes-7 name="Trail shoes" price=89.90 currency=EUR
at 10:02:00 web track user=u-emil event="Product Added" product_id=shoes-7 name="Trail shoes" price=89.90 currency=EUR
at 10:10:00 system complaint.filed user=u-beto subject="Parcel left in the rain"
at 10:12:00 web track user=u-carmen event="Order Completed" order_id=2001 total=89.90 currency=EUR

at 10:31:00 nothing
expect no timeline "message.sent" of user=u-ana

at 10:33:00 nothing
expect timeline "message.sent" once of user=u-ana
expect no timeline "message.sent" of user=u-beto
expect no timeline "message.sent" of user=u-carmen
expect no timeline "message.sent" of user=u-dora
expect no timeline "message.sent" of user=u-emil
expect timeline "message.refused" once of user=u-dora
expect timeline "message.refused" once of user=u-emil

# The same again within three days is a repeat.
at 11:00:00 web track user=u-ana event="Product Added" product_id=shoes-7 name="Trail shoes" price=89.90 currency=EUR
at 12:00:00 nothing
expect timeline "message.sent" once of user=u-ana
expect timeline "message.refused" once of user=u-ana

# Beto's complaint ended his follow-up: nothing comes of it once it is made good.
at 12:10:00 desk marta opens customer of user=u-beto
at 12:11:00 desk marta closes complaint
at 13:00:00 nothing
expect no timeline "message.sent" of user=u-beto
