from monai_medmamba.fingerprint.item import Item, Listing, Remark


def test_lists_share_nothing():
    one, other = Listing("/set", "table", "table"), Listing("/set", "table", "table")
    one.items.append(Item("a.png", "picture"))
    one.remarks.append(Remark("tiny", "a.png"))
    assert (other.items, other.remarks) == ([], [])
