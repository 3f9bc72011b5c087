# Elena refuses advertising on the site's banner, and says it again on the telephone. Both are kept with who says so and
# how we know, and a group she belongs to is no person.

given source shop write_key=wk-shop region=ES
given switch pbx write_key=wk-switch region=ES
given agent luis

at 16:00:00 web identify user=u-elena email=elena@example.com phone=+34600111444 trait.first_name=Elena trait.household_id=h-12
at 16:00:10 web page user=u-elena name="Home" consent.Advertising=false consent.Analytics=true

expect consent marketing denied by consent_banner with evidence of user=u-elena
expect consent analytics granted by consent_banner with evidence
expect group household "h-12"

at 16:10:00 call ringing call=c-20 from=+34600111444 agent=luis
at 16:10:05 call answered call=c-20 agent=luis
at 16:11:00 desk luis consent purpose=marketing status=denied channel=sms mechanism=spoken

expect desk luis shows consent marketing denied on sms by spoken
expect desk luis shows consent marketing denied by consent_banner with evidence

# Her sister lives in the same household and is somebody else.
at 16:20:00 web identify user=u-sara email=sara@example.com trait.household_id=h-12

expect group household "h-12" of user=u-sara
expect no consent marketing denied of user=u-sara
