// SPDX-License-Identifier: Apache-2.0
// The start text for data: settings, tables, logs, markup and JSON.
#include "cm/start_text.h"

namespace llma::cm::internal {

// clang-format off
const std::string_view kDataText =
R"~(# Settings of the server
[server]
host = 127.0.0.1
port = 8080
enabled = true
log_level = "info"

version: 2
services:
  web:
    image: nginx:latest
    ports:
      - "80:80"
    environment:
      - NODE_ENV=production

id,name,date,time,price,quantity,city,country,latitude,longitude
1,"Smith, John",2014-03-01,08:15:00,12.50,3,London,United Kingdom,51.5074,-0)~"
R"~(.1278
2,"Miller, Anna",2014-03-01,08:17:30,7.99,1,Berlin,Germany,52.5200,13.4050
3,"Brown, Peter",2014-03-02,09:02:11,105.00,12,New York,United States,40.712)~"
R"~(8,-74.0060
4,"Garcia, Maria",2014-03-02,10:45:59,0.75,20,Madrid,Spain,40.4168,-3.7038

Jan 12 06:25:01 server1 CRON[12045]: pam_unix(cron:session): session opened )~"
R"~(for user root by (uid=0)
Jan 12 06:25:03 server1 sshd[12051]: Failed password for invalid user admin )~"
R"~(from 192.168.1.25 port 51234 ssh2
Jan 12 06:25:07 server1 kernel: [    0.000000] Command line: BOOT_IMAGE=/boo)~"
R"~(t/vmlinuz root=/dev/sda1 ro quiet
2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRApp)~"
R"~(Master: Created application
2015-10-18 18:01:48,963 WARN [main] Connection refused: retrying in 5 seconds
2015-10-18 18:01:49,228 ERROR [AsyncDispatcher event handler] Error while pr)~"
R"~(ocessing request id=4711 status=500
10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /images/logo.png HTTP/1.1" 20)~"
R"~(0 3638 "http://www.example.com/index.html" "Mozilla/5.0 (Windows NT 6.1;)~"
R"~( WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safar)~"
R"~(i/537.36"
10.0.0.2 - - [17/May/2015:10:05:43 +0000] "GET /favicon.ico HTTP/1.1" 404 20)~"
R"~(9 "-" "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:27.0) Gecko/20100101 F)~"
R"~(irefox/27.0"

<?xml version="1.0" encoding="UTF-8"?>
<catalog xmlns="http://www.example.org/catalog" xmlns:xsi="http://www.w3.org)~"
R"~(/2001/XMLSchema-instance">
  <book id="bk101" lang="en">
    <title>The History of the World</title>
    <author>Jane Miller</author>
    <price currency="USD">44.95</price>
    <published>2000-10-01T12:00:00Z</published>
    <description>A short account of everything.</description>
    <link rel="self" href="http://www.example.org/catalog/bk101"/>
  </book>
  <book id="bk102" lang="de">
    <title>Das Wetter</title>
    <author>Karl Weber</author>
    <price currency="EUR">5.95</price>
    <published>2000-12-16T09:30:00Z</published>
    <description/>
  </book>
</catalog>

<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w)~"
R"~(3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Welcome - Example</title>
<link rel="stylesheet" type="text/css" href="/css/style.css">
<script type="text/javascript" src="https://ajax.googleapis.com/ajax/libs/jq)~"
R"~(uery/1.11.0/jquery.min.js"></script>
<style>
body { font-family: Arial, Helvetica, sans-serif; margin: 0; padding: 10px; )~"
R"~(color: #333; background-color: #fff; }
</style>
</head>
<body class="home page">
<div id="header" class="container">
  <h1><a href="/" title="Home">Example</a></h1>
  <ul class="nav">
    <li class="active"><a href="/news.html">News</a></li>
    <li><a href="/about.html">About us</a></li>
    <li><a href="/contact.html">Contact</a></li>
  </ul>
</div>
<div id="content">
<p>This is the <b>first</b> paragraph of the page, and it contains <a href=")~"
R"~(http://www.example.com/">a link</a>.</p>
<p>&copy; 2014 &nbsp;&amp;&nbsp; All rights reserved.</p>
<table border="0" cellpadding="0" cellspacing="0" width="100%">
<tr><td align="right">1</td><td>&nbsp;</td></tr>
<tr><td align="right">2</td><td><img src="/images/photo.jpg" alt="Photo" wid)~"
R"~(th="120" height="80" /></td></tr>
</table>
<form action="/search" method="get"><input type="text" name="q" value="" /><)~"
R"~(input type="submit" value="Search" /></form>
</div>
</body>
</html>

{"status":"ok","count":2,"results":[{"id":1,"name":"first","tags":["a","b"],)~"
R"~("price":1.5,"active":true},{"id":2,"name":"second","tags":[],"price":0,")~"
R"~(active":false}],"error":null}

{
  "name": "example",
  "version": "1.2.3",
  "description": "A small example of a package",
  "main": "index.js",
  "private": true,
  "scripts": {
    "test": "node test.js",
    "start": "node server.js"
  },
  "repository": {
    "type": "git",
    "url": "https://git.example.com/jane/example.git"
  },
  "author": {
    "name": "Jane Miller",
    "email": "jane@example.com"
  },
  "license": "MIT",
  "dependencies": {
    "express": "^4.17.1",
    "lodash": "~4.17.0"
  }
}
{
  "type": "FeatureCollection",
  "features": [
    {
      "type": "Feature",
      "geometry": {
        "type": "Point",
        "coordinates": [13.3777, 52.5163]
      },
      "properties": {
        "id": 240109189,
        "name": "Berlin",
        "population": 3426354,
        "url": "http://en.wikipedia.org/wiki/Berlin"
      }
    }
  ]
}
[
  {
    "id": 48210377,
    "user": {
      "id": 71946,
      "username": "peterb",
      "picture": "https://static.example.com/pictures/71946.png",
      "url": "https://api.example.com/users/peterb",
      "profile": "https://www.example.com/peterb",
      "age": 20,
      "verified": false
    },
    "created_at": "2011-01-26T19:01:12Z",
    "updated_at": "2011-01-26T19:14:43Z",
    "title": "It does not start",
    "body": "I'm having a problem with this.\r\n\r\nIt does not work when I )~"
R"~(use the new version.",
    "labels": [
      {
        "name": "question",
        "color": "f29513",
        "default": true
      }
    ],
    "language": "en",
    "count": 9,
    "hash": "0f3c9e1b7a5d42c86e90b4d1f7a23c58e61d09ab",
    "message": "Thank you for your help",
    "state": "open",
    "homepage": "",
    "public": true
  },
  {
    "id": 48210378,
    "user": {
      "id": 902734,
      "username": "janemiller",
      "picture": "https://static.example.com/pictures/902734.png",
      "url": "https://api.example.com/users/janemiller",
      "profile": "https://www.example.com/janemiller",
      "age": 3,
      "verified": false
    },
    "created_at": "2011-02-03T11:20:45Z",
    "updated_at": "2011-02-04T08:09:37Z",
    "title": "How to install it",
    "body": "Added a section on how to install it. See https://example.com/d)~"
R"~(ocs/install.html for more.",
    "labels": [],
    "language": "de",
    "count": 0,
    "hash": "c5b97d5ae6c19d5c5df71a34c7fbeeda2479ccbc",
    "message": "See the answer above",
    "state": "closed",
    "homepage": null,
    "public": true
  }
]
)~";
// clang-format on

}  // namespace llma::cm::internal
