"""Confluence, Cloud and Data Center.

settings     what the configuration says
client       what both editions answer, and what they have in common
cloud        Confluence Cloud: REST API v2, and v1 for what v2 lacks
data_center  Confluence Data Center: its one REST API
readers      permissions and restrictions as reader tokens
convert      the storage format as HTML
source       the source itself
"""
