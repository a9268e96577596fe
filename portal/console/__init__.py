"""The console of partners: pages for people who work at a firm that brings investors.

They see what their connection sees (scope `partner:<id>:<user>`): their own firm's rows, of their own investors. Who
they are says `portal.api.partners`; a second factor is asked for wherever staff need one (STAFF_SECOND_FACTOR).
"""
