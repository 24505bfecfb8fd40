"""The mail as it leaves: content, headers, both languages, and no way to break out."""

import re
import time
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import translation

from surveys import campaigns, letterforms, letters, links
from surveys.models import Delivery
from tests.factories import NOW, make_client, make_contact, make_draft, make_mailed_version

pytestmark = pytest.mark.django_db
HOSTILE = "禾屿\r\nBcc: x@evil.example <a href=//evil.example>点</a> & {{opt_out_link}} {% load %}"

REPLY = "Reply to this mail to reach me"
CREDIT = "Whether and how you answer has no effect on credit decisions."


def translated(text):
    """The catalogue's Chinese, whether or not it is compiled already."""
    with translation.override("zh-hans"):
        return translation.gettext(text)


def write(contact=None, version=None):
    """Launch a campaign to one contact and build its mail."""
    if contact is None:
        contact = make_contact(make_client())
    campaigns.launch(make_draft(version), at=NOW, by=None)
    delivery = Delivery.objects.get()
    return delivery, letters.Press().letter(delivery, at=NOW)


def parse(letter):
    mail = message_from_bytes(letter.data, policy=policy.default)
    parts = list(mail.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    return mail, parts[0].get_content(), parts[1].get_content()


class Links(HTMLParser):
    """Collects where the links of a page lead, and refuses what a mail must not hold."""

    def __init__(self, html):
        super().__init__()
        self.found, self.words = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        assert tag not in {"script", "form", "img", "svg", "video", "iframe"}
        if tag == "a":
            self.found.append(dict(attrs)["href"])

    def handle_data(self, data):
        self.words.append(data)


def make_hers(staff, **fields):
    staff.lan.email = "lan@bank.example"
    staff.lan.title_zh, staff.lan.title_en = "客户经理", "Relationship manager"
    staff.lan.save()
    client = make_client(team=staff.east, manager=staff.lan, short_name="禾屿海上风电")
    return make_contact(client, **fields)


def test_headers_name_the_manager_the_bank_and_the_way_out(staff):
    delivery, letter = write(make_hers(staff, email="cheng@client.example"))
    mail, _text, _html = parse(letter)
    number = delivery.invitation.uuid
    assert (letter.sender, letter.recipient) == ("cx@bank.example", "cheng@client.example")
    assert str(mail["From"]) == "lan 员工（云汀银行） <cx@bank.example>"
    assert mail["Reply-To"] == "lan@bank.example"
    assert mail["To"] == "cheng@client.example"
    assert mail["Subject"] == "想听听禾屿海上风电的意见"
    assert mail["Message-ID"] == delivery.message_id
    assert mail["List-Unsubscribe"] == f"<{links.opt_out_url(number)}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-CX-Invitation"] == str(number)
    assert mail["Date"].datetime == NOW
    assert mail.defects == []


def test_text_part_has_one_survey_link_and_one_opt_out(staff):
    delivery, letter = write(make_hers(staff, salutation="程女士"))
    _mail, text, _html = parse(letter)
    number = delivery.invitation.uuid
    assert text == (
        "程女士，您好：\n\n"
        "感谢禾屿海上风电与我们的合作。\n\n"
        f"12 月 8 日前有效：\n{links.survey_url(number)}\n\n"
        f"{staff.east.name_zh} lan 员工\n客户经理 · {translated(REPLY)}\n\n"
        "您收到本邮件，是因为您是禾屿海上风电在云汀银行登记的联系人。\n"
        f"{translated(CREDIT)}\n"
        f"不再接收调查邮件：{links.opt_out_url(number)}\n"
        f"隐私说明：{links.privacy_url()}\n"
        "云汀银行 云汀市滨江大道 1 号 400-000-0000\n"
    )


def test_html_part_has_eleven_scores_a_fallback_and_the_way_out():
    delivery, letter = write()
    _mail, _text, html = parse(letter)
    number = delivery.invitation.uuid
    survey = links.survey_url(number)
    assert Links(html).found == [
        *[f"{survey}?nps={score}" for score in range(11)],
        survey,
        f"{survey}view/",
        links.opt_out_url(number),
        links.privacy_url(),
    ]
    assert re.search(
        r'<a href="[^"]+/view/" style="display:none" aria-hidden="true"[^>]*></a>', html
    )
    assert "您会推荐云汀银行吗？" in html
    assert len(html.encode()) < 30_000
    assert len(letter.data) < 60_000
    assert "{{" not in html.replace("{{opt", "")


def test_without_a_leading_score_question_there_is_no_row():
    version = make_mailed_version()
    version.questions.filter(type="nps").delete()
    _delivery, letter = write(version=version)
    assert [one for one in Links(parse(letter)[2]).found if "nps=" in one] == []


def test_english_contact_gets_english_mail(staff):
    person = make_hers(staff, language="en", salutation="Ms Cheng")
    _delivery, letter = write(person)
    mail, text, html = parse(letter)
    assert str(mail["From"]) == '"Lan (Yunting Bank)" <cx@bank.example>'
    assert mail["Subject"] == "Your view of Yunting Bank"
    name = person.client.name_en
    assert text.startswith(f"Dear Ms Cheng,\n\nThank you for working with us, {name}.\n")
    assert "Relationship manager · Reply to this mail to reach me" in text
    assert 'lang="en"' in html
    assert "Would you recommend Yunting Bank?" in html


def test_contact_without_manager_hears_from_the_bank():
    _delivery, letter = write()
    mail, text, _html = parse(letter)
    assert str(mail["From"]) == "云汀银行 <cx@bank.example>"
    assert mail["Reply-To"] is None
    assert "客户服务团队 您的客户经理\n\n您收到" in text


def test_survey_kept_from_the_relationship_team_does_not_come_from_the_manager(staff):
    version = make_mailed_version(attribution="experience_team_only")
    _delivery, letter = write(make_hers(staff), version)
    mail, _text, _html = parse(letter)
    assert str(mail["From"]) == "云汀银行 <cx@bank.example>"
    assert mail["Reply-To"] is None


def test_hostile_names_stay_text_and_begin_no_header():
    client = make_client(short_name=HOSTILE)
    _delivery, letter = write(make_contact(client, name=HOSTILE))
    mail, text, html = parse(letter)
    assert mail["Bcc"] is None
    assert "Bcc: x@evil.example" in mail["Subject"]
    assert HOSTILE.replace("\r\n", "\n") in text
    assert "//evil.example" not in [one for one in Links(html).found if "evil" in one]
    assert [one for one in Links(html).found if "evil" in one] == []
    assert "{% load %}" in "".join(Links(html).words)


def test_hostile_texts_of_a_questionnaire_stay_text():
    version = make_mailed_version()
    nasty = "{{ settings.SECRET_KEY }} {% debug %} {x.__class__} ${7*7} %(a)s {{unknown}}"
    version.emails["invitation"]["body_zh"] = f"{nasty}\n\n{{{{ survey_link }}}}"
    version.emails["invitation"]["subject_zh"] = f"{nasty}\r\nBcc: x@evil.example"
    version.save()
    contact = make_contact(make_client())
    with pytest.raises(campaigns.NotPossible):
        campaigns.launch(make_draft(version), at=NOW, by=None)
    form = letters.compile_form(version, "zh", "invitation")
    words = {name: f"[{name}]" for name in form.names}
    data = form.fill([("To", contact.email)], words)
    mail = message_from_bytes(data, policy=policy.default)
    assert mail["Bcc"] is None
    assert mail["Subject"] == f"{nasty} Bcc: x@evil.example"
    text = next(mail.iter_parts()).get_content()
    assert text.startswith(f"{nasty}\n\n[survey_link]\n")
    assert text.count("[opt_out_link]") == 1


def test_missing_value_is_named_and_not_sent_as_a_hole():
    contact = make_contact(make_client())
    campaigns.launch(make_draft(), at=NOW, by=None)
    delivery = Delivery.objects.get()
    delivery.invitation.variables = {}
    with pytest.raises(letters.Unfillable, match="bank_address"):
        letters.Press().letter(delivery, at=NOW)
    assert contact.language == "zh"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_compiled_mail_parses_to_the_same_as_djangos(language):
    contact = make_contact(make_client(name_zh="云" * 60, name_en="Long " * 40), language=language)
    _delivery, letter = write(contact)
    mail, text, html = parse(letter)
    theirs = EmailMultiAlternatives(
        str(mail["Subject"]), text, str(mail["From"]), [str(mail["To"])]
    )
    theirs.attach_alternative(html, "text/html")
    other = message_from_bytes(theirs.message().as_bytes(), policy=policy.default)
    parts = [part.get_content() for part in other.iter_parts()]
    assert str(other["Subject"]).strip() == mail["Subject"]
    assert [one.rstrip("\n") for one in parts] == [text.rstrip("\n"), html.rstrip("\n")]
    assert max(len(line) for line in letter.data.split(b"\n")) <= 200
    assert b"\r" not in letter.data
    assert letter.data.isascii()


def test_long_names_fold_into_whole_characters():
    for text in ("云" * 200, "a" * 200, "🙂" * 50, ""):
        assert all(len(line) <= 76 for line in letterforms.word(text).split("\n "))
        raw = f"Subject: {letterforms.word(text)}\r\n\r\n".encode()
        assert message_from_bytes(raw, policy=policy.default)["Subject"] == text


def test_one_mail_is_built_from_the_skeleton_in_no_time():
    delivery, _letter = write()
    press = letters.Press()
    press.letter(delivery, at=NOW)
    begun = time.perf_counter()
    for _ in range(200):
        press.letter(delivery, at=NOW)
    assert (time.perf_counter() - begun) / 200 < 0.005
