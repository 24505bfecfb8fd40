"""Addresses of the indicator pages."""

from django.urls import path

from metrics import views

app_name = "metrics"
urlpatterns = [
    path("indicators/", views.indicators, name="indicators"),
    path("indicators/<slug:metric>/", views.indicator, name="indicator"),
    path("indicators/<slug:metric>/made/", views.made, name="made"),
    path("indicators/<slug:metric>/rows.csv", views.export, name="export"),
]
