"""What a person who cleans Online Retail by hand knows of it: codes that are no goods, codes that give money back."""

SERVICES = ["POST", "DOT", "C2", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "B"]
SERVICE_PREFIXES = ("ADJUST", "TEST", "gift_0001_")
CREDITS = ["M", "m", "D"]
