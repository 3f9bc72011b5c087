# Nobody has ever seen this number. The call is answered all the same, what is said is kept, and when the caller signs in
# on the shop's site later, it is the same customer.

given source shop write_key=wk-shop region=ES
given switch pbx write_key=wk-switch region=ES
given agent marta

at 09:00:00 call ringing call=c-7 from=600111333 agent=marta

# The switch sends the number as it is dialled in Spain.
expect desk marta pops customer of phone=+34600111333 assurance claimed
expect desk marta shows interaction call ringing

at 09:00:08 call answered call=c-7 agent=marta
at 09:00:40 desk marta fact kind=shoe_size value="44"
at 09:01:00 desk marta note text="Wants to know whether the trail shoes come in his size"
at 09:02:00 desk marta verifies method=order_and_postcode

expect interaction call active assurance verified of phone=+34600111333

at 09:03:00 call ended call=c-7 agent=marta

expect interaction call ended

# He signs in; the site knows his number too.
at 09:30:00 web identify user=u-nico email=nico@example.com phone="600 111 333" trait.first_name=Nico

expect customer of user=u-nico named "Nico"
expect told shoe_size "44" from desk
expect timeline "desk.note"
expect known by phone=+34600111333
expect no second customer of phone=+34600111333

# A caller who withholds the number is served too, and becomes nobody else.
at 09:40:00 call ringing call=c-8 from=anonymous agent=marta

expect no second customer of phone=+34600111333
expect no interaction call ringing of phone=+34600111333
