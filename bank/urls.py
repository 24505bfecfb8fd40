"""Sign-in and sign-out."""

from django.urls import path

from bank import views

app_name = "bank"
urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
]
