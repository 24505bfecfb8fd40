"""What is asked, whom, and what came back, for machines and scripts."""

from surveys.api.asking import Campaigns, Questionnaires
from surveys.api.replies import Invitations, Replies, Timeline

__all__ = ["Campaigns", "Invitations", "Questionnaires", "Replies", "Timeline"]
