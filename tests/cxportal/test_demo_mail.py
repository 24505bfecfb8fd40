"""The page of caught mail: newest first, safe, and absent outside the demo."""

import mailbox
from email.message import EmailMessage

import pytest

LINK = "http://127.0.0.1:8000/s/abcdefghijklmnopqrstuvwxyz/"


@pytest.fixture
def caught(settings, tmp_path):
    """A function that lets the catcher catch one mail and returns its key."""
    settings.STATE_DIR, settings.DEMO = tmp_path, True
    box = mailbox.Maildir(tmp_path / "mail")
    names = iter(f"17000000{number:02d}.M5P1Q1.host" for number in range(10, 99))

    def catch(subject="您好", html="", text=f"请点击 {LINK}\n<b>谢谢</b>") -> str:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = subject, "cx@bank.example", "a@b.example"
        mail["X-CX-Invitation"] = "<script>1</script>"
        mail.set_content(text)
        if html:
            mail.add_alternative(html, subtype="html")
        name = next(names)
        key = box.add(mail)
        (tmp_path / "mail" / "new" / key).rename(tmp_path / "mail" / "new" / name)
        return name

    return catch


def test_list_shows_the_newest_first(client, caught):
    caught("第一封")
    caught("第二封")
    text = client.get("/demo/mail/").content.decode()
    assert 0 < text.index("第二封") < text.index("第一封")


def test_list_is_bounded_and_pages(client, caught):
    for number in range(53):
        caught(f"mail-{number:02d}.")
    first = client.get("/demo/mail/").content.decode()
    second = client.get("/demo/mail/?page=2").content.decode()
    assert (first.count("mail-"), second.count("mail-")) == (50, 3)
    assert client.get("/demo/mail/?page=nonsense").status_code == 200


def test_list_without_mail_says_so(client, settings, tmp_path):
    settings.STATE_DIR, settings.DEMO = tmp_path, True
    assert client.get("/demo/mail/").status_code == 200


def test_text_links_can_be_clicked_and_markup_is_text(client, caught):
    text = client.get(f"/demo/mail/{caught()}/").content.decode()
    assert f'href="{LINK}"' in text
    assert "&lt;b&gt;谢谢&lt;/b&gt;" in text
    assert "<script>1" not in text


def test_html_form_is_locked_in_a_sandbox(client, caught):
    name = caught(html='<p style="color:red">x</p><script>alert(1)</script>')
    page = client.get(f"/demo/mail/{name}/")
    assert f'src="/demo/mail/{name}/html/"' in page.content.decode()
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    body = client.get(f"/demo/mail/{name}/html/")
    policy = body.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-top-navigation-by-user-activation" in policy
    assert "script-src" not in policy
    assert body.content.decode().startswith('<base target="_top"><p')


def test_mail_without_html_has_no_html_form(client, caught):
    name = caught()
    assert "<iframe" not in client.get(f"/demo/mail/{name}/").content.decode()
    assert client.get(f"/demo/mail/{name}/html/").status_code == 404


@pytest.mark.parametrize("name", ["..", "1.M1P1", "secret_key", "%2e%2e%2fsecret_key"])
def test_names_that_are_no_mail_are_unknown(client, caught, name):
    caught()
    assert client.get(f"/demo/mail/{name}/").status_code == 404


def test_broken_mail_is_shown_as_it_can_be(client, caught, tmp_path):
    name = caught()
    (tmp_path / "mail" / "new" / name).write_bytes(
        b"Subject: =?nocharset?q?x?=\nContent-Type: text/plain; charset=nocharset\n\n\xff\xfe x"
    )
    assert client.get(f"/demo/mail/{name}/").status_code == 200
    assert client.get("/demo/mail/").status_code == 200


def test_outside_the_demo_there_is_no_page(client, caught, settings):
    name = caught(html="<p>x</p>")
    settings.DEMO = False
    addresses = ["/demo/mail/", f"/demo/mail/{name}/", f"/demo/mail/{name}/html/"]
    assert [client.get(address).status_code for address in addresses] == [404, 404, 404]
