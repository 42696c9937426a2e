import urllib.request

from testing.file_server import file_server


def test_serves_a_file_and_a_part_of_it():
    with file_server() as server:
        server.files["a"] = b"0123456789"
        assert urllib.request.urlopen(server.url("a")).read() == b"0123456789"
        request = urllib.request.Request(server.url("a"), headers={"Range": "bytes=7-", "If-Range": '"first"'})
        assert urllib.request.urlopen(request).read() == b"789"
        assert server.asked == [None, "bytes=7-"]
