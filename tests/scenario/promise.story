# A complaint is opened on the web, an agent promises to call back within the hour. The hour passes: whoever opens the
# customer sees that we are late. Then it is done.

given source shop write_key=wk-shop region=ES
given agent marta
given agent luis

at 13:00:00 web track user=u-fran event="Complaint Submitted" subject="The parcel was open"

expect case complaint open "The parcel was open" of user=u-fran

at 13:05:00 desk marta opens customer of user=u-fran
at 13:06:00 desk marta promise text="Call back about the parcel" due=+1h

expect desk marta shows promised "Call back about the parcel" open

at 13:30:00 desk luis opens customer of user=u-fran

expect no desk luis shows promised "Call back about the parcel" overdue

at 14:07:00 nothing

expect desk luis shows promised "Call back about the parcel" overdue

at 14:10:00 desk luis keeps "Call back about the parcel"
at 14:11:00 desk luis closes complaint

expect desk marta shows promised "Call back about the parcel" kept
expect desk marta shows case complaint closed

# The question is asked for the first time, answered by hand, and known from then on.
at 14:12:00 desk luis asks shoe_size

expect no already known shoe_size of user=u-fran

at 14:12:30 desk luis fact kind=shoe_size value="39"
at 14:20:00 desk marta asks shoe_size

expect already known shoe_size "39"
